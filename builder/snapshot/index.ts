export type { WritablePart } from './writable.ts'
export { createWritable } from './writable.ts'

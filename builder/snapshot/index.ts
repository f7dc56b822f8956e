export { createWritable } from './writable.ts'

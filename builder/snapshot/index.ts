/** @internal */
export { PlacedRoot } from './placed/placed-root.ts'
export { createWritable } from './writable.ts'

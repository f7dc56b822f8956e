export { type Placed, PlacedRoot, type PlacedRootOptions } from './placed/placed-root.ts'
export { createWritable } from './writable.ts'

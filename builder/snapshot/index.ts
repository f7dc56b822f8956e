export { inPlaceSnapshots } from './in-place/in-place-snapshots.ts'
export type { WatchedFolders } from './in-place/kept-watch.ts'
export type { RootSettings } from './in-place/root-tasks.ts'
export * as rootTasks from './in-place/root-tasks.ts'
/** @internal */
export { PlacedRoot } from './placed/placed-root.ts'
/** @internal */
export type { SnapshotsOptions } from './snapshots.ts'
export { openSnapshots, type Snapshots } from './snapshots.ts'
export type { Snapshot, Snapshotter, View } from './spec/snapshotter.ts'
export { copyUpper } from './upper/copy-upper.ts'
export { adoptFuseUpper } from './upper/fuse-upper.ts'
/** @internal */
export { createWritable } from './upper/writable.ts'

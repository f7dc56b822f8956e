/** @internal */
export type { CommitRequest } from './commit/commit.ts'
export { commitContainer } from './commit/commit.ts'
export { ContainerFiles, type ContainerSize } from './container-files.ts'
/** @internal */
export type { ExtractOptions } from './extract/extract.ts'
export type { ContainerLayers } from './layers/container-layers.ts'
export type { PathChange } from './layers/find-changes.ts'
export { makeFirstLayer } from './layers/first-layer.ts'
export type { PathStat } from './root/path-stat.ts'

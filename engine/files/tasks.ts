/** What threads do with the files of containers. */
export { exportLayers, writeArchive } from './archive/write-archive.ts'
export { extractArchiveInto } from './extract/extract.ts'
export { findChanges } from './layers/find-changes.ts'
export { measureDirectory } from './layers/measure.ts'
export { writeContainerLayer } from './layers/write-layer.ts'
export { statPath } from './root/path-stat.ts'

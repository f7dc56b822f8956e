export {
  type AppliedLayer,
  type ApplyOptions,
  applyLayer,
  type ExtractOptions,
  extractArchive,
} from './apply.ts'
export { type ChangesOptions, changesOf, treeChanges } from './changes.ts'
export {
  type ArchiveCompression,
  compress,
  type DecompressOptions,
  decompress,
  detectCompression,
} from './compression.ts'
export type { Owners } from './directory-writer.ts'
export { hasOwnersBeside, ownersBeside } from './kept-owners.ts'
export { mergeLayers } from './merge.ts'
export { newestFile } from './newest-file.ts'
export { presumeOwners } from './presume-owners.ts'
export { rawTree } from './raw-tree.ts'
export { removeOthers } from './remove-others.ts'
export { resolveInTree } from './resolve.ts'
export { restoreOwners } from './restore-owners.ts'
export { breakRing, makeRing, type Ring, readRing, resetRing } from './ring.ts'
export { stackTree } from './stack-tree.ts'
export { isArchive, isTarHeader } from './tar-reader.ts'
export { clampChange, clampDirectory, clampTar } from './times.ts'
export { omitUnchanged } from './unchanged.ts'
export {
  type LayerSinks,
  type WriteOptions,
  type WrittenLayer,
  writeFiles,
  writeLayer,
} from './write.ts'

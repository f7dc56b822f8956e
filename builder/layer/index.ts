export { applyLayer, extractArchive, type AppliedLayer, type ApplyOptions } from './apply.ts'
export { changesOf, treeChanges, type ChangesOptions } from './changes.ts'
export {
  compress,
  decompress,
  detectCompression,
  type ArchiveCompression,
  type DecompressOptions,
} from './compression.ts'
export { resolveInTree } from './resolve.ts'
export { stackTree } from './stack-tree.ts'
export {
  writeFiles,
  writeLayer,
  type LayerSinks,
  type WriteOptions,
  type WrittenLayer,
} from './write.ts'

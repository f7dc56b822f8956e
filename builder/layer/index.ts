export {
  type AppliedLayer,
  applyLayer,
  extractArchive,
} from './apply/apply.ts'
export { EntryFile } from './apply/entry-file.ts'
export {
  type ArchiveCompression,
  compress,
  decompress,
  detectCompression,
} from './codec/compression.ts'
export { changesOf, treeChanges } from './overlay/changes.ts'
export { DirectoryWriter } from './overlay/directory-writer.ts'
export { effectiveChanges, type FoundChange } from './overlay/effective-changes.ts'
export {
  deletionsBeside,
  hasOwnersBeside,
  layerOwners,
  ownersBeside,
  ownersObstacle,
} from './overlay/owners-beside.ts'
export { fileXattrs, layerXattrs, RawTree, rawTree } from './overlay/raw-tree.ts'
export { removeOthers } from './overlay/remove-others.ts'
export { treeDifference } from './overlay/tree-difference.ts'
export { omitUnchanged } from './overlay/unchanged.ts'
export { writeError } from './overlay/write-error.ts'
export { entryPath, invalidEntryError } from './paths/entry-path.ts'
export { componentsOf, MAX_LINKS, resolveInTree } from './paths/resolve.ts'
export { CAPABILITY, isWhiteoutDevice } from './paths/whiteout.ts'
export type { LayerFile, LayerTree } from './stack/layer-tree.ts'
export { damagedFileError, NotedDigests } from './stack/noted-digests.ts'
export { openLayerTree } from './stack/open-layer.ts'
export { presumeOwners } from './stack/presume-owners.ts'
export { StackTree, stackTree } from './stack/stack-tree.ts'
export { isSelfContained } from './stack/tar-tree.ts'
export { attributesOf, type EntryAttributes } from './tar/entry-attributes.ts'
export { encodeHeader } from './tar/header-encoder.ts'
export { type LargestFile, largestFile } from './tar/largest-file.ts'
export { listNotedTar, listTar, type TarFile } from './tar/list-tar.ts'
export { newestFile } from './tar/newest-file.ts'
export type { TarEntry } from './tar/tar-entry.ts'
export { isArchive, isTarHeader, type TarHandler, TarReader } from './tar/tar-reader.ts'
export { tarEnd } from './tar/tar-writer.ts'
export { type Assembly, assembleTar, type PreviousFiles } from './write/assemble.ts'
export type { LayerSinks, WriteOptions, WrittenLayer } from './write/layer-sinks.ts'
export { mergeLayers } from './write/merge.ts'
export { type RewriteSinks, rewriteLayer } from './write/rewrite.ts'
export { squashLayers } from './write/squash.ts'
export { newBytes, type TarRecipe } from './write/tar-recipe.ts'
export { clampChange, clampChanges, clampDirectory, clampTar } from './write/times.ts'
export {
  type WrittenTar,
  writeFiles,
  writeLayer,
  writeTar,
} from './write/write.ts'

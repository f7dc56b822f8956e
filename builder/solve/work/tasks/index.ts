/**
 * The tasks of the threads that work on files: a task is a file and a line here. Their types are
 * inferred from the functions.
 */
export { assembleTar, isSelfContained, squashLayers } from '#builder/layer'
export { adoptFuseUpper, copyUpper } from '#builder/snapshot'
export { assembleParts } from './assemble-parts.ts'
export { changedSince } from './changed-since.ts'
export { checkLayer, digestBlob } from './check-layer.ts'
export { checksum } from './checksum.ts'
export { clampTimes } from './clamp-times.ts'
export { copyFiles } from './copy-files.ts'
export { digestTar } from './digest-tar.ts'
export { fillDirectory } from './fill-directory.ts'
export { keepOwners } from './keep-owners.ts'
export { mergeDirectories } from './merge-directories.ts'
export { digestLayer, packLayer } from './pack-layer.ts'
export { recopyFiles } from './recopy-files.ts'
export { rewriteTimes } from './rewrite-times.ts'
export { storeTar } from './store-tar.ts'
export { unpackLayer } from './unpack-layer.ts'
export { unpackTrees } from './unpack-trees.ts'

export { Checksum, type ChecksumEntry, digestFile, type FileDigest } from './checksum.ts'
export { type DirectoryTreeOptions, directoryTree } from './directory-tree.ts'
export type { IgnoreMatcher } from './visibility.ts'

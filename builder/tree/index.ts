export { Checksum, type ChecksumEntry, digestFile } from './checksum.ts'
export { type DirectoryTreeOptions, directoryTree } from './directory-tree.ts'
export type { IgnoreMatcher } from './visibility.ts'

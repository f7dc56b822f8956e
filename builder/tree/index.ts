export { Checksum, type ChecksumEntry, digestFile } from './checksum.ts'
export { directoryTree } from './directory-tree.ts'
export type { IgnoreMatcher } from './visibility.ts'

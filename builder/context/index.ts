export { checksumTree, digestFile, type FileDigest } from './checksum.ts'
export {
  type DirectoryTreeOptions,
  directoryTree,
  type IgnoreMatcher,
} from './directory-tree.ts'

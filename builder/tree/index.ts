export {
  Checksum,
  type ContentRecord,
  ContentRecords,
  type ContentSink,
  digestFile,
} from './checksum.ts'
export { mergeRecords } from './content-text.ts'
export { directoryTree } from './directory-tree.ts'
export { scannedTree } from './scanned-tree.ts'
export { changedTree, changesBetween, type KeptState, type TreeChanges } from './tree-changes.ts'
export { type TreeState, treeState } from './tree-state.ts'

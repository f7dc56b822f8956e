export { Checksum, digestFile } from './checksum.ts'
export { directoryTree } from './directory-tree.ts'
export { scannedTree } from './scanned-tree.ts'
export { type TreeState, treeState } from './tree-state.ts'

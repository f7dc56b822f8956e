export { Checksum, digestFile } from './checksum.ts'
export { directoryTree } from './directory-tree.ts'
export { treeState } from './tree-state.ts'

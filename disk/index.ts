export { childPath, O_PATH } from './child-path.ts'
export { readLimited } from './read-file.ts'
export { removeEntry, removeTree, removeTreeSync } from './remove-tree.ts'

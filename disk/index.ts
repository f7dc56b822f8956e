export { childPath, O_PATH } from './place.ts'
export { type RemoveOptions, removeEntry, removeTree, removeTreeSync } from './remove-tree.ts'

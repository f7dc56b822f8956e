export { childPath, O_PATH } from './place.ts'
export { readLimited } from './read-file.ts'
export { type RemoveOptions, removeEntry, removeTree, removeTreeSync } from './remove-tree.ts'

export { goFileMode } from './entries/go-file-mode.ts'
export { FolderTransfers } from './folder-transfers.ts'

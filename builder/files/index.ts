export type { CopyAction, FileAction, Owner } from './action.ts'
export { checksumFileActions, checksumming, type FilesInput } from './checksum.ts'
export { attributesOf, type FileContent, type SourceFile } from './content.ts'
export { runFileActions } from './run.ts'

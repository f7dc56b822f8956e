export type { CopyAction, FileAction, MkdirAction, Owner, WriteAction } from './action.ts'
export { checksumFileActions, type FilesChecksum, type FilesInput } from './checksum.ts'
export { attributesOf, type FileContent, type SourceFile } from './content.ts'
export { type FilesOptions, type FilesResult, runFileActions } from './run.ts'

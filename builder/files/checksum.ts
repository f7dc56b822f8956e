import type { FileDigest } from '#builder/context'
import type { Digest, Tree } from '#core'
import type { FileAction } from './action.ts'

export interface FilesInput {
  readonly root: Tree
  readonly sources: readonly Tree[]
  readonly fileDigest: FileDigest
}

export interface FilesChecksum {
  /** Of the selected source entries, in the order of the actions. */
  readonly content: Digest
  /** Of the root's passwd and group files, when an owner is given by name. */
  readonly passwd?: Digest
}

export declare function checksumFileActions(
  actions: readonly FileAction[],
  input: FilesInput,
): FilesChecksum

import type { Change, Digest, Name, Tree } from '#core'
import type { FileAction } from './action.ts'

export interface FilesOptions {
  /** The file system that is copied into, all its layers merged. */
  readonly root: Tree
  readonly sources: readonly Tree[]
  /** An existing empty folder for unpacked archives, on the host. The caller removes it. */
  readonly temporary: string
  /** mtime of directories and heredoc files that are made, in milliseconds. */
  readonly now: number
  readonly onWarning?: (message: string) => void
}

/** A layer to be. Its content is read from the sources, which stay open until it is disposed of. */
export interface FilesResult extends Disposable {
  readonly changes: readonly Change[]
  /**
   * What `checksumFileActions` gives as `content`, from digests that were learnt while the layer
   * was written; files that `digestOf` does not know are read.
   */
  contentDigest(digestOf: (path: Name) => Digest | undefined): Digest
}

export declare function runFileActions(
  actions: readonly FileAction[],
  options: FilesOptions,
): Promise<FilesResult>

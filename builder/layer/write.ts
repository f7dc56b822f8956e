import type { Change, DiffId, Digest, Name } from '#core'

export interface LayerSinks {
  /** A tar file to create (it must not exist), or an open descriptor to write to. */
  readonly tar?: string | number
  /** An overlay-form directory to fill: empty, or new in an existing directory. */
  readonly directory?: string
}

export interface WriteOptions {
  /** The sha256 of each regular file's content; hard links have none of their own. */
  readonly onFile?: (path: Name, digest: Digest) => void
  /** Told about what could not be made, e.g. device files in a user namespace. */
  readonly onWarning?: (message: string) => void
}

export interface WrittenLayer {
  /** Of the tar; absent when none was written. */
  readonly diffId?: DiffId
  /** Bytes of the tar; absent when none was written. */
  readonly size?: number
}

/** Writes changes as a layer: each file is read once. */
export function writeLayer(
  changes: Iterable<Change>,
  sinks: LayerSinks,
  options: WriteOptions = {},
): WrittenLayer {
  throw new Error(`not yet ${changes} ${sinks} ${options}`)
}

/** Writes changes as the current user's files into a directory that may hold some already. */
export function writeFiles(
  changes: Iterable<Change>,
  directory: string,
  options: Pick<WriteOptions, 'onWarning'> = {},
): void {
  throw new Error(`not yet ${changes} ${directory} ${options}`)
}

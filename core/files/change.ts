import type { Buffer } from 'node:buffer'
import type { Digest } from '../oci/digest.ts'
import type { FileStat, Name } from './tree.ts'

/**
 * One line of a layer. A list of changes is in walk order: the names of a directory sorted by bytes,
 * a directory before what is in it; every parent of an entry that is not the root comes before it.
 */
export type Change = EntryChange | WhiteoutChange | OpaqueChange

/** A file, directory or other node of the layer. */
export interface EntryChange {
  readonly kind: 'entry'
  /** Relative to the root and never the root itself. */
  readonly path: Name
  readonly stat: FileStat
  /** The text of a symbolic link. */
  readonly target?: Name | undefined
  /** An earlier path of this layer that is the same file; then the entry has no content. */
  readonly hardlink?: Name | undefined
  readonly xattrs?: ReadonlyMap<string, Buffer> | undefined
  /** Content of a regular file: opens it for reading; the caller closes the descriptor. */
  readonly open?: (() => number) | undefined
  /** Content of a regular file that is held in memory. */
  readonly data?: Uint8Array | undefined
  /** Digest of the content of a regular file, where it is known without reading that. */
  readonly knownDigest?: (() => Digest | undefined) | undefined
}

/** What lower layers have at `path` is deleted. */
interface WhiteoutChange {
  readonly kind: 'whiteout'
  readonly path: Name
}

/** What lower layers have in the directory `path` is hidden. The entry of the directory comes before. */
interface OpaqueChange {
  readonly kind: 'opaque'
  readonly path: Name
}

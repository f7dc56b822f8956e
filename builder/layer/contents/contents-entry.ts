import type { Digest, Name } from '#core'
import { paddingAfter } from '../content/blocks.ts'

/** One entry of a layer's tar: where it is and what it is. */
export interface ContentsEntry {
  readonly path: Name
  /** Tells everything that its header says beside path and size: see `headerKey`. */
  readonly header: string
  readonly isDirectory: boolean
  /** Where its header begins in the tar. */
  readonly start: number
  /** Where its content begins. */
  readonly position: number
  /** Bytes of the content. */
  readonly size: number
  /** Of the content of a file; `undefined` for everything else. */
  readonly digest: Digest | undefined
}

/** Where an entry ends in the tar: there the next one begins. */
export function endOf({ position, size }: Pick<ContentsEntry, 'position' | 'size'>): number {
  return position + size + paddingAfter(size)
}

/**
 * The last bytes of a file of contents: `<bytes of entries> <bytes of chunks> <number of entries>`, and the
 * sha256 of each part.
 */
export const TRAILER_BYTES = 192

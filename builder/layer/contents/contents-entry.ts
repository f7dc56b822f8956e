import { type Digest, digestOfContent, hexOf, type Name } from '#core'

/** One entry of a layer's tar: where it is and what it is. */
export interface ContentsEntry {
  readonly path: Name
  /** Digest of the header blocks: everything of the entry but its content. */
  readonly header: string
  readonly isDirectory: boolean
  /** Where the content of a file begins in the tar. */
  readonly position: number
  /** Bytes of the content. */
  readonly size: number
  /** Of the content of a file; `undefined` for everything else. */
  readonly digest: Digest | undefined
}

/** Half of a digest tells headers apart. */
const HEADER_DIGITS = 32

/** The `header` of an entry with these header blocks. */
export function headerDigest(blocks: readonly Buffer[]): string {
  const [first] = blocks
  const bytes = blocks.length === 1 && first !== undefined ? first : Buffer.concat(blocks)
  return hexOf(digestOfContent(bytes)).slice(0, HEADER_DIGITS)
}

/** A piece of a tar, as it was written, and what shows whether it is still that. */
export interface CheckedChunk {
  readonly position: number
  readonly size: number
  readonly crc: number
}

/** The last bytes of a file of contents: `<bytes of entries> <bytes of chunks> <number of entries> <sha256 of both>`. */
export const TRAILER_BYTES = 160

import { comparePaths, type Digest, type FileIdentity, hexOf, lastAtMost, type Name } from '#core'

/** What is remembered of the content of a regular file. */
export interface KnownContent {
  readonly digest: Digest
  /** It was looked for attributes that belong into a layer, and had none. */
  readonly isBare: boolean
}

/** One file, as it was when its content was read. */
export interface DigestEntry extends FileIdentity, KnownContent {
  readonly path: Name
  /** On how many days, of those on which something was written, it was not looked up. */
  readonly age: number
}

/*
 * A block is columns: five float64 per entry, the digests as bytes, one byte of age and flag, and the
 * paths separated by NUL. Columns, because all of a block must be there in a fraction of a millisecond.
 */
const NUMBERS = 5
const DIGEST_BYTES = 32
const DIGESTS_AT = NUMBERS * 8
const NOTES_AT = DIGESTS_AT + DIGEST_BYTES
const ENTRY_BYTES = NOTES_AT + 1
const BARE = 0x80

/**
 * Memory for one block after another. Buffers of their own would be collected late: they are not on
 * V8's heap, so it hardly notices how many there are.
 */
export class BlockBuffer {
  #bytes = Buffer.alloc(0)

  /** Aligned to its own memory; what was taken before is overwritten. */
  take(length: number): Buffer {
    if (this.#bytes.length < length) this.#bytes = Buffer.allocUnsafeSlow(length * 2)
    return this.#bytes.subarray(0, length)
  }
}

/** The bytes of a block of entries, which come in the order of their paths. */
export function encodeBlock(entries: readonly DigestEntry[], buffer: BlockBuffer): Buffer {
  const count = entries.length
  const paths = entries.map(({ path }) => path).join('\0')
  const bytes = buffer.take(count * ENTRY_BYTES + paths.length)
  const numbers = numbersIn(bytes, count)
  for (const [index, entry] of entries.entries()) {
    const { dev, ino, size, mtimeMs, ctimeMs, digest, isBare, age } = entry
    numbers.set([dev, ino, size, mtimeMs, ctimeMs], index * NUMBERS)
    bytes.write(hexOf(digest), count * DIGESTS_AT + index * DIGEST_BYTES, 'hex')
    bytes[count * NOTES_AT + index] = age | (isBare ? BARE : 0)
  }
  bytes.write(paths, count * ENTRY_BYTES, 'latin1')
  return bytes
}

function numbersIn(bytes: Buffer, count: number): Float64Array {
  return new Float64Array(bytes.buffer, bytes.byteOffset, count * NUMBERS)
}

/** Entries in the order of their paths. */
export class DigestBlock {
  readonly #paths: readonly Name[]
  readonly #numbers: Float64Array
  readonly #digests: string
  readonly #notes: Buffer

  /** `bytes`: what `encodeBlock` made of `count` entries, in a `BlockBuffer`; they are not copied. */
  constructor(bytes: Buffer, count: number) {
    this.#numbers = numbersIn(bytes, count)
    this.#digests = bytes.toString('hex', count * DIGESTS_AT, count * NOTES_AT)
    this.#notes = bytes.subarray(count * NOTES_AT, count * ENTRY_BYTES)
    this.#paths = bytes.toString('latin1', count * ENTRY_BYTES).split('\0') as Name[]
  }

  pathAt(index: number): Name | undefined {
    return this.#paths[index]
  }

  indexOf(path: Name): number | undefined {
    const index = lastAtMost(this.#paths.length, (at) => comparePaths(this.#paths[at] ?? '', path))
    return this.#paths[index] === path ? index : undefined
  }

  /** What is known of the content of an entry's file, if that is still the `file` that was read. */
  contentAt(index: number, file: FileIdentity): KnownContent | undefined {
    const at = index * NUMBERS
    const isSame =
      this.#numbers[at + 4] === file.ctimeMs &&
      this.#numbers[at + 3] === file.mtimeMs &&
      this.#numbers[at + 2] === file.size &&
      this.#numbers[at + 1] === file.ino &&
      this.#numbers[at] === file.dev
    if (!isSame) return undefined
    return { digest: this.#digestAt(index), isBare: (this.#noteAt(index) & BARE) !== 0 }
  }

  *entries(): Generator<DigestEntry> {
    for (const [index, path] of this.#paths.entries()) {
      const at = index * NUMBERS
      const [dev = 0, ino = 0, size = 0, mtimeMs = 0, ctimeMs = 0] = this.#numbers.subarray(
        at,
        at + NUMBERS,
      )
      const [digest, note] = [this.#digestAt(index), this.#noteAt(index)]
      const [age, isBare] = [note & ~BARE, (note & BARE) !== 0]
      yield { path, dev, ino, size, mtimeMs, ctimeMs, digest, isBare, age }
    }
  }

  #digestAt(index: number): Digest {
    const at = index * DIGEST_BYTES * 2
    return `sha256:${this.#digests.slice(at, at + DIGEST_BYTES * 2)}` as Digest
  }

  #noteAt(index: number): number {
    return this.#notes[index] ?? 0
  }
}

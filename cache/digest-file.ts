import { createHash } from 'node:crypto'
import { lstatSync, readFileSync } from 'node:fs'
import { type Digest, errnoOf, type Name } from '#core'

/** What tells one content of a file from another; a `Stats` of `node:fs` is one. */
export interface FileIdentity {
  readonly dev: number
  readonly ino: number
  /** Bytes. */
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
}

/** One file's digest. */
export interface DigestEntry extends FileIdentity {
  readonly path: Name
  readonly digest: Digest
  /** In how many written generations nobody asked for it. */
  readonly age: number
}

/*
 * The file: magic, count (uint32), SHA-256 of the rest, then columns: five float64 per entry, 32
 * bytes of digest, one byte of age, and the paths separated by NUL. Columns, because 20,000 entries
 * must be there in a few milliseconds, and the checksum, because a torn or damaged file is a miss.
 */
const MAGIC = Buffer.from('tsbdig1\n')
const SUM_AT = MAGIC.length + 4
const HEAD_BYTES = SUM_AT + 32
const NUMBERS = 5
const ENTRY_BYTES = NUMBERS * 8 + 32 + 1
const LARGEST_BYTES = 512 * 1024 * 1024

/** Entries by path, read from a file; each is looked at only when it is asked for. */
export class DigestTable {
  readonly #indexes = new Map<Name, number>()
  readonly #numbers: Float64Array
  readonly #digests: Buffer
  readonly #ages: Buffer

  /** `body`: what follows the head. */
  constructor(body: Buffer, count: number) {
    const numbers = count * NUMBERS * 8
    this.#numbers = new Float64Array(new Uint8Array(body.subarray(0, numbers)).buffer)
    this.#digests = body.subarray(numbers, numbers + count * 32)
    this.#ages = body.subarray(numbers + count * 32, count * ENTRY_BYTES)
    const paths = count === 0 ? [] : body.toString('latin1', count * ENTRY_BYTES).split('\0')
    for (const [index, path] of paths.entries()) this.#indexes.set(path as Name, index)
  }

  /** The digest of the file at `path`, if it is still the `file` that was digested. */
  find(path: Name, file: FileIdentity): Digest | undefined {
    const index = this.#indexes.get(path)
    if (index === undefined) return undefined
    const at = index * NUMBERS
    const isSame =
      this.#numbers[at + 4] === file.ctimeMs &&
      this.#numbers[at + 3] === file.mtimeMs &&
      this.#numbers[at + 2] === file.size &&
      this.#numbers[at + 1] === file.ino &&
      this.#numbers[at] === file.dev
    return isSame ? this.#digest(index) : undefined
  }

  *entries(): Generator<DigestEntry, void, undefined> {
    for (const [path, index] of this.#indexes) {
      const at = index * NUMBERS
      const [dev = 0, ino = 0, size = 0, mtimeMs = 0, ctimeMs = 0] = this.#numbers.subarray(
        at,
        at + NUMBERS,
      )
      const age = this.#ages[index] ?? 0
      yield { path, dev, ino, size, mtimeMs, ctimeMs, digest: this.#digest(index), age }
    }
  }

  #digest(index: number): Digest {
    return `sha256:${this.#digests.toString('hex', index * 32, index * 32 + 32)}` as Digest
  }
}

const EMPTY = new DigestTable(Buffer.alloc(0), 0)

/** The table in a file; empty when there is none or it is damaged. */
export function readDigests(path: string): DigestTable {
  const size = lstatSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size < HEAD_BYTES || size > LARGEST_BYTES) return EMPTY
  try {
    return decode(readFileSync(path))
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return EMPTY
  }
}

function decode(bytes: Buffer): DigestTable {
  const body = bytes.subarray(HEAD_BYTES)
  const isWhole =
    bytes.subarray(0, MAGIC.length).equals(MAGIC) &&
    bytes.subarray(SUM_AT, HEAD_BYTES).equals(sumOf(body))
  const count = bytes.readUInt32LE(MAGIC.length)
  return isWhole && body.length >= count * ENTRY_BYTES ? new DigestTable(body, count) : EMPTY
}

/** The bytes of a file that holds `entries`. */
export function encodeDigests(entries: readonly DigestEntry[]): Buffer {
  const numbers = new Float64Array(entries.length * NUMBERS)
  const digests = Buffer.allocUnsafe(entries.length * 32)
  const ages = Buffer.allocUnsafe(entries.length)
  for (const [index, entry] of entries.entries()) {
    const { dev, ino, size, mtimeMs, ctimeMs, digest, age } = entry
    const at = index * NUMBERS
    numbers[at] = dev
    numbers[at + 1] = ino
    numbers[at + 2] = size
    numbers[at + 3] = mtimeMs
    numbers[at + 4] = ctimeMs
    digests.write(digest.slice('sha256:'.length), index * 32, 'hex')
    ages[index] = age
  }
  const paths = Buffer.from(entries.map((entry) => entry.path).join('\0'), 'latin1')
  const body = Buffer.concat([new Uint8Array(numbers.buffer), digests, ages, paths])
  const count = Buffer.alloc(4)
  count.writeUInt32LE(entries.length)
  return Buffer.concat([MAGIC, count, sumOf(body), body])
}

function sumOf(body: Buffer): Buffer {
  return createHash('sha256').update(body).digest()
}

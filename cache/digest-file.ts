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
 * The file: magic, count (uint32), SHA-256 of the rest, then columns: five float64 per entry, the
 * digests as text, one byte of age, and the paths separated by NUL. Columns, because 20,000 entries
 * must be there in a few milliseconds, and the checksum, because a torn or damaged file is a miss.
 */
const MAGIC = Buffer.from('tsbdig1\n')
const SUM_AT = MAGIC.length + 4
const HEAD_BYTES = SUM_AT + 32
const NUMBERS = 5
const DIGEST_BYTES = 'sha256:'.length + 64
const ENTRY_BYTES = NUMBERS * 8 + DIGEST_BYTES + 1
const LARGEST_BYTES = 512 * 1024 * 1024

/**
 * Entries by path, read from a file. Asking in the order of the file is fastest: a walk meets the
 * files in the order of the last walk, and then no path need be hashed.
 */
export class DigestTable {
  readonly #paths: readonly Name[]
  readonly #numbers: Float64Array
  readonly #digests: string
  readonly #ages: Buffer
  #indexes: Map<Name, number> | undefined
  #next = 0

  /** `body`: what follows the head. */
  constructor(body: Buffer, count: number) {
    const numbers = count * NUMBERS * 8
    this.#numbers = new Float64Array(new Uint8Array(body.subarray(0, numbers)).buffer)
    const digests = numbers + count * DIGEST_BYTES
    this.#digests = body.toString('latin1', numbers, digests)
    this.#ages = body.subarray(digests, count * ENTRY_BYTES)
    const paths = body.toString('latin1', count * ENTRY_BYTES)
    this.#paths = count === 0 ? [] : (paths.split('\0') as Name[])
  }

  /** The digest of the file at `path`, if it is still the `file` that was digested. */
  find(path: Name, file: FileIdentity): Digest | undefined {
    const index = this.#indexOf(path)
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

  get(path: Name): DigestEntry | undefined {
    const index = this.#indexOf(path)
    if (index === undefined) return undefined
    const at = index * NUMBERS
    const [dev = 0, ino = 0, size = 0, mtimeMs = 0, ctimeMs = 0] = this.#numbers.subarray(
      at,
      at + NUMBERS,
    )
    const [digest, age] = [this.#digest(index), this.#ages[index] ?? 0]
    return { path, dev, ino, size, mtimeMs, ctimeMs, digest, age }
  }

  /** In the order of the file. */
  paths(): readonly Name[] {
    return this.#paths
  }

  #indexOf(path: Name): number | undefined {
    if (this.#paths[this.#next] === path) return this.#next++
    this.#indexes ??= new Map(this.#paths.map((known, index) => [known, index]))
    const index = this.#indexes.get(path)
    if (index !== undefined) this.#next = index + 1
    return index
  }

  #digest(index: number): Digest {
    const at = index * DIGEST_BYTES
    return this.#digests.slice(at, at + DIGEST_BYTES) as Digest
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

const FIRST_CAPACITY = 64

/** Entries on their way into a file, as columns: objects would take four times the memory. */
export class DigestColumns {
  readonly #paths: Name[] = []
  #numbers = new Float64Array(FIRST_CAPACITY * NUMBERS)
  #digests = Buffer.allocUnsafe(FIRST_CAPACITY * DIGEST_BYTES)
  #ages = Buffer.allocUnsafe(FIRST_CAPACITY)

  get size(): number {
    return this.#paths.length
  }

  /** In the order in which they were pushed. */
  paths(): readonly Name[] {
    return this.#paths
  }

  push({ path, dev, ino, size, mtimeMs, ctimeMs, digest, age }: DigestEntry): void {
    const index = this.#paths.length
    if (index === this.#ages.length) this.#grow()
    this.#paths.push(path)
    this.#numbers.set([dev, ino, size, mtimeMs, ctimeMs], index * NUMBERS)
    this.#digests.write(digest, index * DIGEST_BYTES, 'latin1')
    this.#ages[index] = age
  }

  /** Takes one over from other columns. */
  pushFrom(other: DigestColumns, index: number): void {
    const at = index * NUMBERS
    const [dev = 0, ino = 0, size = 0, mtimeMs = 0, ctimeMs = 0] = other.#numbers.subarray(
      at,
      at + NUMBERS,
    )
    const start = index * DIGEST_BYTES
    const digest = other.#digests.toString('latin1', start, start + DIGEST_BYTES) as Digest
    const [path, age] = [other.#paths[index], other.#ages[index] ?? 0]
    if (path !== undefined) this.push({ path, dev, ino, size, mtimeMs, ctimeMs, digest, age })
  }

  /** The bytes of a file that holds the entries. */
  encode(): Buffer {
    const count = this.size
    const paths = this.#paths.join('\0')
    const bytes = Buffer.allocUnsafe(HEAD_BYTES + count * ENTRY_BYTES + paths.length)
    const body = bytes.subarray(HEAD_BYTES)
    MAGIC.copy(bytes)
    bytes.writeUInt32LE(count, MAGIC.length)
    body.set(new Uint8Array(this.#numbers.buffer, 0, count * NUMBERS * 8))
    this.#digests.copy(body, count * NUMBERS * 8, 0, count * DIGEST_BYTES)
    this.#ages.copy(body, count * (ENTRY_BYTES - 1), 0, count)
    body.write(paths, count * ENTRY_BYTES, 'latin1')
    sumOf(body).copy(bytes, SUM_AT)
    return bytes
  }

  #grow(): void {
    const capacity = this.#ages.length * 2
    const numbers = new Float64Array(capacity * NUMBERS)
    numbers.set(this.#numbers)
    this.#numbers = numbers
    const [digests, ages] = [this.#digests, this.#ages]
    this.#digests = Buffer.allocUnsafe(capacity * DIGEST_BYTES)
    this.#ages = Buffer.allocUnsafe(capacity)
    digests.copy(this.#digests)
    ages.copy(this.#ages)
  }
}

function sumOf(body: Buffer): Buffer {
  return createHash('sha256').update(body).digest()
}

import { closeSync, constants, fstatSync, openSync, readSync, writeFileSync } from 'node:fs'
import {
  comparePaths,
  type Digest,
  Digester,
  errnoOf,
  type FileIdentity,
  hexOf,
  lastAtMost,
  type Name,
} from '#core'
import {
  BlockBuffer,
  DigestBlock,
  type DigestEntry,
  encodeBlock,
  type KnownContent,
} from './digest-block.ts'

/*
 * The file: blocks of entries in the order of their paths, a table with their locations as JSON, and at the
 * end the table's length (uint32), its SHA-256 and a magic. The table has the SHA-256 of each block, so
 * a torn or damaged file is a miss. Of a tree of any size, the table and one block are in memory.
 */
const MAGIC = Buffer.from('tsbdig3\n')
const SUM_BYTES = 32
const TAIL_BYTES = 4 + SUM_BYTES + MAGIC.length
/** Some 60 KiB: time to read one that holds a single wanted entry, and a short table. */
const BLOCK_ENTRIES = 512
/** Without waiting, should there be a FIFO. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK

/** Where a block is in its file. */
export interface BlockLocation {
  readonly at: number
  readonly length: number
  readonly count: number
  readonly sum: Digest
  readonly first: Name
}

/** What a selection of files held, all of which were in one state. */
export interface KnownSelection {
  /** Of what selects them. */
  readonly selection: Digest
  readonly state: Digest
  readonly content: Digest
}

interface Table {
  readonly blocks: readonly BlockLocation[]
  /** Absent in a file of an earlier tsbuild. */
  readonly selections?: readonly KnownSelection[]
  /** When the entries last became older; milliseconds. */
  readonly agedAt: number
  /** What the tree was called; absent in a file of an earlier tsbuild. */
  readonly tree?: string
}

/** Writes entries at the position of a descriptor, which is `at`. */
export function writeBlocks(
  descriptor: number,
  entries: Iterable<DigestEntry>,
  at = 0,
): readonly BlockLocation[] {
  const locations: BlockLocation[] = []
  const buffer = new BlockBuffer()
  let end = at
  for (const group of groupsOf(entries)) {
    const bytes = encodeBlock(group, buffer)
    writeFileSync(descriptor, bytes)
    const [length, count, sum] = [bytes.length, group.length, sumOf(bytes)]
    locations.push({ at: end, length, count, sum, first: group[0].path })
    end += length
  }
  return locations
}

function* groupsOf(
  entries: Iterable<DigestEntry>,
): Generator<readonly [DigestEntry, ...DigestEntry[]]> {
  let group: [DigestEntry, ...DigestEntry[]] | undefined
  for (const entry of entries) {
    if (group === undefined) group = [entry]
    else group.push(entry)
    if (group.length < BLOCK_ENTRIES) continue
    yield group
    group = undefined
  }
  if (group !== undefined) yield group
}

/** Reads one block at a time: the next one takes its memory. */
class BlockReader {
  readonly #descriptor: number
  readonly #buffer = new BlockBuffer()

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  /** `undefined` when it is damaged. */
  read({ at, length, count, sum }: BlockLocation): DigestBlock | undefined {
    const bytes = readAt(this.#descriptor, at, this.#buffer.take(length))
    if (bytes === undefined || sumOf(bytes) !== sum) return undefined
    return new DigestBlock(bytes, count)
  }
}

/** The entries of blocks, as far as those are whole. */
export function* readBlocks(
  descriptor: number,
  locations: readonly BlockLocation[],
): Generator<DigestEntry> {
  const reader = new BlockReader(descriptor)
  for (const location of locations) yield* reader.read(location)?.entries() ?? []
}

/** Writes a whole file to an empty one. */
export function writeDigestFile(
  descriptor: number,
  entries: Iterable<DigestEntry>,
  facts: Omit<Table, 'blocks'>,
): void {
  const contents: Table = { blocks: writeBlocks(descriptor, entries), ...facts }
  const table = Buffer.from(JSON.stringify(contents))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(table.length)
  const sum = Buffer.from(hexOf(sumOf(table)), 'hex')
  writeFileSync(descriptor, Buffer.concat([table, length, sum, MAGIC]))
}

/** What the tree is called whose digests a file has; `undefined` where that cannot be found out. */
export function readTreeOfDigests(path: string): string | undefined {
  const descriptor = openIfThere(path)
  if (descriptor === undefined) return undefined
  try {
    const table = readTable(descriptor)
    return table === undefined ? undefined : (JSON.parse(table.bytes.toString()) as Table).tree
  } finally {
    closeSync(descriptor)
  }
}

/** A file of digests, open; without any entry when there is none or it is damaged. */
export class DigestFile implements Disposable {
  readonly #descriptor: number | undefined
  readonly #reader: BlockReader | undefined
  readonly #locations: readonly BlockLocation[] = []
  /** When its entries last became older; milliseconds. */
  readonly agedAt: number = 0
  /** The latest first. */
  readonly selections: readonly KnownSelection[] = []
  /** How many files it knows. */
  readonly count: number
  /** The number of the first entry of each block. */
  readonly #starts: number[] = []
  /** A bit for each entry. */
  readonly #met: Uint8Array
  /** Of the table, and so of everything in the file. */
  readonly #sum: Digest | undefined
  #current = -1
  #block: DigestBlock | undefined
  #next = 0

  constructor(path: string) {
    this.#descriptor = openIfThere(path)
    const table = this.#descriptor === undefined ? undefined : readTable(this.#descriptor)
    if (this.#descriptor !== undefined && table !== undefined) {
      this.#reader = new BlockReader(this.#descriptor)
      this.#sum = table.sum
      const { blocks, agedAt, selections } = JSON.parse(table.bytes.toString()) as Table
      this.#locations = blocks
      this.selections = selections ?? []
      this.agedAt = agedAt
    }
    let count = 0
    for (const location of this.#locations) {
      this.#starts.push(count)
      count += location.count
    }
    this.count = count
    this.#met = new Uint8Array(Math.ceil(count / 8))
  }

  /**
   * What is known of the file at `path`, if it is still the `file` that was read. Asking in the order
   * of a walk is fastest.
   */
  get(path: Name, file: FileIdentity): KnownContent | undefined {
    if (this.#block?.pathAt(this.#next) !== path && !this.#seek(path)) return undefined
    const index = this.#next++
    this.#meet((this.#starts[this.#current] ?? 0) + index)
    return this.#block?.contentAt(index, file)
  }

  /**
   * The entries for the next generation, each older by `days` unless it was looked up in `opened`.
   * Where `opened` is another generation than this, it is not known, and they stay as they are.
   */
  *survivors(
    opened: DigestFile,
    { days, oldest }: { readonly days: number; readonly oldest: number },
  ): Generator<DigestEntry> {
    const isOpened = opened.#sum === this.#sum
    for (const [index, location] of this.#locations.entries()) {
      let number = this.#starts[index] ?? 0
      for (const entry of this.#reader?.read(location)?.entries() ?? []) {
        const age = isOpened ? opened.#ageOf(number++, entry, days) : entry.age
        if (age < oldest) yield { ...entry, age }
      }
    }
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
  }

  #ageOf(number: number, { age }: DigestEntry, days: number): number {
    const isMet = ((this.#met[number >>> 3] ?? 0) & (1 << (number & 7))) !== 0
    return isMet ? 0 : age + days
  }

  #meet(number: number): void {
    this.#met[number >>> 3] = (this.#met[number >>> 3] ?? 0) | (1 << (number & 7))
  }

  /** Goes to the entry of `path`; false when there is none. */
  #seek(path: Name): boolean {
    const locations = this.#locations
    const index = lastAtMost(locations.length, (at) =>
      comparePaths(locations[at]?.first ?? '', path),
    )
    const location = locations[index]
    if (location === undefined) return false
    if (index !== this.#current) {
      this.#current = index
      this.#block = this.#reader?.read(location)
    }
    const found = this.#block?.indexOf(path)
    if (found !== undefined) this.#next = found
    return found !== undefined
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, OPEN_FLAGS)
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}

function readTable(
  descriptor: number,
): { readonly bytes: Buffer; readonly sum: Digest } | undefined {
  const end = fstatSync(descriptor).size - TAIL_BYTES
  const tail = end < 0 ? undefined : readAt(descriptor, end, Buffer.alloc(TAIL_BYTES))
  if (!tail?.subarray(4 + SUM_BYTES).equals(MAGIC)) return undefined
  const length = tail.readUInt32LE()
  const bytes = length > end ? undefined : readAt(descriptor, end - length, Buffer.alloc(length))
  if (bytes === undefined) return undefined
  const sum = sumOf(bytes)
  return hexOf(sum) === tail.toString('hex', 4, 4 + SUM_BYTES) ? { bytes, sum } : undefined
}

/** Fills `bytes`; `undefined` when there are not so many, or they cannot be read. */
function readAt(descriptor: number, at: number, bytes: Buffer): Buffer | undefined {
  try {
    return readSync(descriptor, bytes, 0, bytes.length, at) === bytes.length ? bytes : undefined
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}

function sumOf(bytes: Buffer): Digest {
  const digester = new Digester()
  digester.update(bytes)
  return digester.digest()
}

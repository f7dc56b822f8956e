/**
 * Lists folders with what `lstat` says of each entry, several times as fast as Node: names stay where the kernel
 * has put them, and no object is made for an entry. See docs/adr/0054
 */
import { Buffer } from 'node:buffer'
import { constants } from 'node:fs'
import { constants as os } from 'node:os'
import { checkpoint, type Name } from '#core'
import {
  addressOf,
  lastErrno,
  numberOfCall,
  type RepeatedCall,
  repeatedCall,
  SystemError,
} from '../system/syscalls.ts'

const LISTING_BYTES = 32 * 1024
/** Of an entry in a listing. Spec: getdents64(2) */
const LENGTH_AT = 16
const NAME_AT = 19
const LEAST_BYTES = 24
const MOST_ENTRIES = Math.ceil(LISTING_BYTES / LEAST_BYTES)
/** Spec: statx(2) */
const STAT_BYTES = 256
const WORD_BYTES = 4
const STAT_WORDS = STAT_BYTES / WORD_BYTES
const STATX_BASIC_STATS = 0x7ff
const AT_SYMLINK_NOFOLLOW = 0x100
const DOT = 0x2e

/** Words of four bytes in the answer of statx(2). */
const MODE = 7
const CTIME = 24
const MTIME = 28
/**
 * Number of links, owner, group, mode, inode, size, ctime, mtime, device of a node, device: of the rest, some
 * changes when a file is read.
 */
const FACTS = [4, 5, 6, MODE, 8, 9, 10, 11, 24, 25, 26, 28, 29, 30, 32, 33, 34, 35] as const

/** Memory and system calls to scan one folder after another with. */
export class FolderScanner {
  readonly #listing = Buffer.allocUnsafeSlow(LISTING_BYTES)
  readonly #listingAt = Number(addressOf(this.#listing))
  readonly #stats = Buffer.allocUnsafeSlow(MOST_ENTRIES * STAT_BYTES)
  readonly #statsAt = Number(addressOf(this.#stats))
  readonly #words = new Uint32Array(this.#stats.buffer)
  /** Where the names are in the listing. */
  readonly #names = new Uint16Array(MOST_ENTRIES)
  readonly #getdents: RepeatedCall = repeatedCall(3)
  readonly #statx: RepeatedCall = repeatedCall(5)
  readonly #getdentsNumber = numberOfCall('getdents64')
  readonly #statxNumber = numberOfCall('statx')
  #count = 0
  readonly #kept = Buffer.allocUnsafeSlow(LISTING_BYTES + MOST_ENTRIES * FACTS.length * WORD_BYTES)
  readonly #keptWords = new Uint32Array(this.#kept.buffer)
  #keptEnd = 0

  nameAt(index: number): Name {
    const at = this.#names[index] ?? 0
    return this.#listing.toString('latin1', at, this.#listing.indexOf(0, at)) as Name
  }

  isFolderAt(index: number): boolean {
    return this.#typeAt(index) === constants.S_IFDIR
  }

  isLinkAt(index: number): boolean {
    return this.#typeAt(index) === constants.S_IFLNK
  }

  /** When the entry was changed last; milliseconds since the epoch. */
  changedAt(index: number): number {
    return Math.max(this.#timeAt(index, CTIME), this.#timeAt(index, MTIME))
  }

  /**
   * What is in a folder, in the order in which the kernel lists it: some hundred entries at a time, which can
   * be asked about until the next ones are. Yields how many they are.
   * @param descriptor of the folder, open for reading
   * @throws {SystemError}
   */
  *scan(descriptor: number): Generator<number> {
    for (;;) {
      checkpoint()
      const length = this.#getdents(
        this.#getdentsNumber,
        descriptor,
        this.#listingAt,
        LISTING_BYTES,
      )
      if (length < 0) throw new SystemError(lastErrno(), 'getdents64', undefined)
      if (length === 0) return
      this.#count = 0
      for (let at = 0; at < length; ) {
        if (!this.#isDots(at + NAME_AT)) this.#look(descriptor, at + NAME_AT)
        at += (this.#listing[at + LENGTH_AT] ?? 0) | ((this.#listing[at + LENGTH_AT + 1] ?? 0) << 8)
      }
      yield this.#count
    }
  }

  /**
   * The same for one name in a folder.
   * @returns how many entries there are: one or none
   */
  scanName(descriptor: number, name: Name): number {
    const end = this.#listing.write(name, 'latin1')
    if (end !== name.length || end === LISTING_BYTES) return 0
    this.#listing[end] = 0
    this.#count = 0
    this.#look(descriptor, 0)
    return this.#count
  }

  /** Adds an entry to what `kept` gives. */
  keep(index: number): void {
    let at = this.#names[index] ?? 0
    let byte: number
    do {
      byte = this.#listing[at++] ?? 0
      this.#kept[this.#keptEnd++] = byte
    } while (byte !== 0)
    while (this.#keptEnd % WORD_BYTES !== 0) this.#kept[this.#keptEnd++] = 0
    const from = index * STAT_WORDS
    let to = this.#keptEnd / WORD_BYTES
    for (const word of FACTS) this.#keptWords[to++] = this.#words[from + word] ?? 0
    this.#keptEnd = to * WORD_BYTES
  }

  /**
   * Of each entry that was kept its name, with one to four NULs, and what tells one state of it from another. It
   * begins anew with the next one. How many entries come at a time is a matter of chance.
   */
  kept(): Uint8Array {
    const end = this.#keptEnd
    this.#keptEnd = 0
    return this.#kept.subarray(0, end)
  }

  #isDots(at: number): boolean {
    if (this.#listing[at] !== DOT) return false
    const next = this.#listing[at + 1]
    return next === 0 || (next === DOT && this.#listing[at + 2] === 0)
  }

  /** An entry that was removed since the folder was listed is not there. */
  #look(descriptor: number, name: number): void {
    const at = this.#statsAt + this.#count * STAT_BYTES
    const path = this.#listingAt + name
    const result = this.#statx(
      this.#statxNumber,
      descriptor,
      path,
      AT_SYMLINK_NOFOLLOW,
      STATX_BASIC_STATS,
      at,
    )
    if (result >= 0) this.#names[this.#count++] = name
    else if (lastErrno() !== os.errno.ENOENT) throw new SystemError(lastErrno(), 'statx', undefined)
  }

  #typeAt(index: number): number {
    return (this.#words[index * STAT_WORDS + MODE] ?? 0) & constants.S_IFMT
  }

  #timeAt(index: number, word: number): number {
    const at = index * STAT_WORDS + word
    const seconds = ((this.#words[at + 1] ?? 0) | 0) * 2 ** 32 + (this.#words[at] ?? 0)
    return seconds * 1000 + (this.#words[at + 2] ?? 0) / 1e6
  }
}

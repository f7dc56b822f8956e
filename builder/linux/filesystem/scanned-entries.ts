import type { Stats } from 'node:fs'
import type { Name } from '#core'
import type { FileTime } from './file-facts.ts'

/** What `lstat` says of a file, as far as trees want to know. */
export type FileFacts = Pick<
  Stats,
  'dev' | 'ino' | 'mode' | 'nlink' | 'uid' | 'gid' | 'rdev' | 'size' | 'mtimeMs' | 'ctimeMs'
>

const WORD_BYTES = 4
const FACT_BYTES = 18 * WORD_BYTES
const HALF = 2 ** 32
/** Where the time of modification is among the facts. */
const MODIFIED = 11

/** Entries as `FolderScanner` keeps them, by name. */
export class ScannedEntries {
  readonly #bytes: Buffer
  readonly #words: Uint32Array
  /** Where the facts of each begin, in words. */
  readonly #places = new Map<Name, number>()

  /** @param bytes that are not changed later */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes)
    this.#words = new Uint32Array(bytes.length / WORD_BYTES)
    this.#bytes.copy(new Uint8Array(this.#words.buffer))
    for (let at = 0; at < bytes.length; ) {
      const end = this.#bytes.indexOf(0, at)
      const facts = (Math.floor(end / WORD_BYTES) + 1) * WORD_BYTES
      this.#places.set(this.#bytes.toString('latin1', at, end) as Name, facts / WORD_BYTES)
      at = facts + FACT_BYTES
    }
  }

  names(): Name[] {
    return [...this.#places.keys()]
  }

  factsOf(name: Name): FileFacts | undefined {
    const at = this.#places.get(name)
    return at === undefined ? undefined : this.#factsAt(at)
  }

  /** The time of modification, exactly. */
  modifiedOf(name: Name): FileTime | undefined {
    const at = this.#places.get(name)
    if (at === undefined) return undefined
    const word = (index: number): number => this.#words[at + MODIFIED + index] ?? 0
    return { seconds: (word(1) | 0) * HALF + word(0), nanoseconds: word(2) }
  }

  /** Whether other entries have one of this name that nothing was changed of. */
  isIn(others: ScannedEntries, name: Name): boolean {
    const [own, other] = [this.#places.get(name), others.#places.get(name)]
    if (own === undefined || other === undefined) return false
    for (let word = 0; word < FACT_BYTES / WORD_BYTES; word++) {
      if (this.#words[own + word] !== others.#words[other + word]) return false
    }
    return true
  }

  #factsAt(at: number): FileFacts {
    const word = (index: number): number => this.#words[at + index] ?? 0
    const wide = (index: number): number => word(index + 1) * HALF + word(index)
    const time = (index: number): number => {
      return ((word(index + 1) | 0) * HALF + word(index)) * 1000 + word(index + 2) / 1e6
    }
    return {
      ...{ nlink: word(0), uid: word(1), gid: word(2), mode: word(3) & 0xffff },
      ...{ ino: wide(4), size: wide(6), ctimeMs: time(8), mtimeMs: time(11) },
      ...{ rdev: deviceOf(word(14), word(15)), dev: deviceOf(word(16), word(17)) },
    }
  }
}

/** Spec: makedev(3), as Linux numbers devices for programs */
function deviceOf(major: number, minor: number): number {
  const high = Math.floor(major / 0x1000) * 0x1000 * HALF + Math.floor(minor / 0x100) * 0x100000
  return high + (major & 0xfff) * 0x100 + (minor & 0xff)
}

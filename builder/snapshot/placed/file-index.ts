import type { FileFacts } from '#builder/linux'
import type { Name } from '#core'

/** What is known of a directory that is shown. */
export interface Folder {
  /** Row of its marks. */
  readonly row: number
  /** What it shows: rows of the marks of files, and directories. */
  readonly entries: Map<Name, number | Folder>
}

/** Milliseconds; the others are as lstat(2) says. */
const COLUMNS = 8
const FIRST_ROWS = 1024
const INODE = 0
const BIRTH = 1

/**
 * What tells whether files are untouched: of each one a row of numbers, which takes 64 bytes. The time of
 * the last change of an inode is the one that a program cannot set; the others say the same once more,
 * should the clock have been set back.
 */
export class FileIndex {
  #table = new Float64Array(COLUMNS * FIRST_ROWS)
  #rows = 0
  readonly #free: number[] = []
  #newest = 0

  /** The newest time at which one of the files was changed, in milliseconds. */
  get newest(): number {
    return this.#newest
  }

  add(facts: FileFacts): number {
    const row = this.#free.pop() ?? this.#rows++
    if (row * COLUMNS === this.#table.length) {
      const larger = new Float64Array(this.#table.length * 2)
      larger.set(this.#table)
      this.#table = larger
    }
    this.set(row, facts)
    return row
  }

  set(row: number, facts: FileFacts): void {
    const table = this.#table
    const at = row * COLUMNS
    table[at + INODE] = facts.inode
    table[at + BIRTH] = facts.bornMs
    table[at + 2] = facts.changedMs
    table[at + 3] = facts.modifiedMs
    table[at + 4] = facts.size
    table[at + 5] = facts.mode
    table[at + 6] = facts.uid
    table[at + 7] = facts.gid
    if (facts.changedMs > this.#newest) this.#newest = facts.changedMs
  }

  /** Forgets what has a name, with everything below. */
  delete(entry: number | Folder): void {
    if (typeof entry === 'number') {
      this.#free.push(entry)
      return
    }
    const folders = [entry]
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      this.#free.push(folder.row)
      for (const child of folder.entries.values()) {
        if (typeof child === 'number') this.#free.push(child)
        else folders.push(child)
      }
    }
  }

  /** Whether nothing has changed: content, rights and attributes. */
  isUntouched(row: number, facts: FileFacts): boolean {
    return this.#table[row * COLUMNS + INODE] === facts.inode && this.hasEqualTimes(row, facts)
  }

  /** The same, whatever number the inode has; of a directory also its names. */
  hasEqualTimes(row: number, facts: FileFacts): boolean {
    const table = this.#table
    const at = row * COLUMNS
    return (
      table[at + 2] === facts.changedMs &&
      table[at + 3] === facts.modifiedMs &&
      table[at + 4] === facts.size &&
      table[at + 5] === facts.mode &&
      table[at + 6] === facts.uid &&
      table[at + 7] === facts.gid &&
      table[at + BIRTH] === facts.bornMs
    )
  }

  /** Whether a directory has the same rights and time as before. */
  isAlike(row: number, facts: FileFacts): boolean {
    const table = this.#table
    const at = row * COLUMNS
    return (
      table[at + 3] === facts.modifiedMs &&
      table[at + 5] === facts.mode &&
      table[at + 6] === facts.uid &&
      table[at + 7] === facts.gid
    )
  }

  /**
   * Whether it is the same inode: its number may have been given to another one meanwhile. `renumbered`:
   * it was born at the same time, but has another number.
   */
  compare(row: number, facts: FileFacts): 'same' | 'renumbered' | 'other' {
    const at = row * COLUMNS
    const born = this.#table[at + BIRTH]
    if (born !== facts.bornMs) return 'other'
    if (this.#table[at + INODE] === facts.inode) return 'same'
    return born === 0 ? 'other' : 'renumbered'
  }
}

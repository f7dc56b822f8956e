import { openSync, readdirSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { errnoOf } from '#core'

/** How much of a log is kept, and how. */
export interface LogLimits {
  /** Bytes after which a file is full: one entry may go beyond. `Infinity`: it grows. */
  readonly maxSize: number
  /** Files that are kept, with the one that is written. */
  readonly maxFiles: number
  /** Full files are compressed. */
  readonly isCompressed: boolean
}

/** A file of a log that was opened to be read. */
export interface OpenedFile {
  readonly descriptor: number
  readonly isCompressed: boolean
  /** Milliseconds since the epoch, when it was written last. */
  readonly changed: number
}

/**
 * The files of one log by their generation, which stays the same when they are renamed: the file that is written has
 * the highest one, and `PATH.1` the one before. Renaming is synchronous, so that no other code ever finds a generation
 * under another name. A crash in between leaves a generation without a file.
 */
export class LogFiles {
  readonly path: string
  readonly #limits: LogLimits
  /** How often the log was rotated since it was opened. */
  #latest = 0
  /** The generation of the oldest file there is. */
  #oldest: number

  constructor(path: string, limits: LogLimits) {
    this.path = path
    this.#limits = limits
    this.#oldest = -Math.min(limits.maxFiles - 1, this.#highestNumber())
  }

  get latest(): number {
    return this.#latest
  }

  get oldest(): number {
    return this.#oldest
  }

  /** Full files that are not compressed, oldest first. */
  get plain(): readonly number[] {
    const found: number[] = []
    for (let generation = this.#oldest; generation < this.#latest; generation++) {
      if (statSync(this.#pathOf(generation), { throwIfNoEntry: false })) found.push(generation)
    }
    return found
  }

  /** The caller closes it. `undefined` when there is none, or none any more. */
  open(generation: number): OpenedFile | undefined {
    if (generation < this.#oldest || generation > this.#latest) return undefined
    const plain = this.#pathOf(generation)
    return openFound(plain, false) ?? openFound(`${plain}.gz`, true)
  }

  /** Gives the latest file the next name, and the oldest one, if there are too many, none. Nothing may be writing. */
  rotate(): void {
    const { maxFiles } = this.#limits
    const count = this.#latest - this.#oldest + 1
    if (count === maxFiles) this.#remove(maxFiles - 1)
    for (let number = Math.min(count, maxFiles - 1); number > 0; number--) {
      this.#rename(number - 1, number)
    }
    this.#latest++
    this.#oldest = Math.max(this.#oldest, this.#latest - maxFiles + 1)
  }

  /** Puts a compressed file in the place of a generation. @returns false when that is not kept any more */
  replace(generation: number, compressed: string): boolean {
    if (generation < this.#oldest) return false
    const plain = this.#pathOf(generation)
    renameSync(compressed, `${plain}.gz`)
    unlinkIfThere(plain)
    return true
  }

  #pathOf(generation: number): string {
    return this.#numbered(this.#latest - generation)
  }

  #numbered(number: number): string {
    return number === 0 ? this.path : `${this.path}.${number}`
  }

  #rename(from: number, to: number): void {
    for (const ending of ['', '.gz']) {
      renameIfThere(`${this.#numbered(from)}${ending}`, `${this.#numbered(to)}${ending}`)
    }
  }

  #remove(number: number): void {
    for (const ending of ['', '.gz']) unlinkIfThere(`${this.#numbered(number)}${ending}`)
  }

  #highestNumber(): number {
    const name = `${basename(this.path)}.`
    const numbers = namesIn(dirname(this.path))
      .filter((one) => one.startsWith(name))
      .map((one) => /^(\d+)(?:\.gz)?$/.exec(one.slice(name.length))?.[1] ?? '0')
    return Math.max(0, ...numbers.map(Number))
  }
}

function namesIn(folder: string): readonly string[] {
  return unlessMissing(() => readdirSync(folder)) ?? []
}

function openFound(path: string, isCompressed: boolean): OpenedFile | undefined {
  return unlessMissing(() => {
    const { mtimeMs: changed } = statSync(path)
    return { descriptor: openSync(path, 'r'), isCompressed, changed }
  })
}

function renameIfThere(from: string, to: string): void {
  unlessMissing(() => renameSync(from, to))
}

/** Also used for what a crash may have left. */
export function unlinkIfThere(path: string): void {
  unlessMissing(() => unlinkSync(path))
}

function unlessMissing<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw cause
  }
}

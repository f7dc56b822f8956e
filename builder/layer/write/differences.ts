import type { Change, EntryChange, Name } from '#core'
import type { ContentsEntry } from '../contents/contents-entry.ts'
import { PendingDirectories } from '../overlay/unchanged.ts'

/** Directories with more of them, of all entries, are made as a whole. */
const MOST_DIFFERENCES = 0.25

/** Where differences go. */
export interface DifferencesOptions {
  /** Makes a directory, or a whiteout. */
  readonly make: (change: Change) => void
  /** Whether the layers below have something at a path. */
  readonly isBelow: (path: Name) => boolean
  /** Number of entries of the earlier layer. */
  readonly count: number
}

/**
 * What a layer has otherwise than an earlier one of the same step, in overlay form: on top of that one's
 * directory it shows the same as the layer's own. Some differences cannot be said that way.
 */
export class Differences {
  readonly #options: DifferencesOptions
  /** Directories that are the same, until something in them is not. */
  readonly #pending = new PendingDirectories()
  /** The last directory that is not there any more. */
  #gone: Name | undefined
  #same = 0
  #count = 0
  #isPossible = true

  constructor(options: DifferencesOptions) {
    this.#options = options
  }

  /** False once there was one that cannot be said; nothing is made from then on. */
  get isPossible(): boolean {
    return this.#isPossible
  }

  /** Gets an entry that both layers have. */
  same(change: EntryChange): void {
    this.#same++
    if (change.stat.type === 'directory') this.#pending.hold(change)
  }

  /** Gets that both layers have an entry, in a directory in which nothing else is looked at. */
  left(): void {
    this.#same++
  }

  /**
   * Gets what the layer has, and the earlier one has not, or has otherwise. Where that can be said, the
   * directories are made that it is in; it is left to the caller.
   */
  other(change: Change, earlier: ContentsEntry | undefined): void {
    this.#count++
    if (!canBeSaid(change, earlier)) this.#isPossible = false
    this.#enter(change)
  }

  /** Gets what only the earlier one has. What it hid in the layers below would come to light. */
  gone({ path, isDirectory }: ContentsEntry): void {
    if (this.#gone !== undefined && path.startsWith(`${this.#gone}/`)) return
    if (isDirectory) this.#gone = path
    this.#count++
    if (this.#isPossible && this.#options.isBelow(path)) this.#isPossible = false
    const whiteout: Change = { kind: 'whiteout', path }
    this.#enter(whiteout)
    if (this.#isPossible) this.#options.make(whiteout)
  }

  /** To be called at the end. A small layer is not put on a large one that it has little in common with. */
  finish(): void {
    if (this.#count > MOST_DIFFERENCES * (this.#same + this.#count)) this.#isPossible = false
  }

  #enter(change: Change): void {
    if (this.#count > MOST_DIFFERENCES * this.#options.count) this.#isPossible = false
    if (!this.#isPossible) return
    for (const each of this.#pending.before(change)) if (each !== change) this.#options.make(each)
  }
}

/** A file with several names is one file; what replaces a directory, or is replaced by one, hides others. */
function canBeSaid(change: Change, earlier: ContentsEntry | undefined): boolean {
  if (change.kind !== 'entry' || change.hardlink !== undefined) return false
  const isDirectory = change.stat.type === 'directory'
  if (!isDirectory && change.stat.nlink > 1) return false
  return earlier === undefined || earlier.isDirectory === isDirectory
}

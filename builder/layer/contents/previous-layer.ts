import { comparePaths, type Name } from '#core'
import type { ContentsEntry } from './contents-entry.ts'
import { TarContents } from './tar-contents.ts'

/** An earlier layer of a copy, that the next one is compared with while both are walked. */
export class PreviousLayer implements Disposable {
  /** Number of entries. */
  readonly count: number
  readonly #contents: TarContents
  readonly #entries: Generator<ContentsEntry>
  /** The first entry that the walk has not come to. */
  #next: ContentsEntry | undefined
  #last = ''
  #isInOrder = true

  private constructor(contents: TarContents) {
    this.#contents = contents
    this.count = contents.count
    this.#entries = contents.entries()
    this.#next = this.#take()
  }

  /**
   * @param contents what `ContentsWriter` has noted of its tar
   * @returns `undefined` when nothing can be taken from it
   */
  static open(contents: string): PreviousLayer | undefined {
    const opened = TarContents.open(contents)
    return opened && new PreviousLayer(opened)
  }

  /** False once paths came in another order than that of a walk. */
  get isInOrder(): boolean {
    return this.#isInOrder
  }

  /**
   * The entry at a path. To be called in the order of a walk.
   * @param onGone gets the entries before it that were passed over
   */
  find(path: Name, onGone: (entry: ContentsEntry) => void): ContentsEntry | undefined {
    if (comparePaths(this.#last, path) >= 0 && this.#last !== '') this.#isInOrder = false
    this.#last = path
    for (;;) {
      const entry = this.#next
      const order = entry === undefined ? 1 : comparePaths(entry.path, path)
      if (entry === undefined || order > 0) return undefined
      this.#next = this.#take()
      if (order === 0) return entry
      onGone(entry)
    }
  }

  /** @param onGone gets the entries that the walk never came to */
  finish(onGone: (entry: ContentsEntry) => void): void {
    for (; this.#next !== undefined; this.#next = this.#take()) onGone(this.#next)
  }

  [Symbol.dispose](): void {
    this.#contents[Symbol.dispose]()
  }

  #take(): ContentsEntry | undefined {
    const next = this.#entries.next()
    return next.done ? undefined : next.value
  }
}

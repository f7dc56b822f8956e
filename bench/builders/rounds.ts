/**
 * One storage after the other, all kept to the end: ext4 avoids the inodes of files that were deleted
 * in the last minutes, and next to a deleted storage every new file takes thirty times as long.
 */
export class Rounds<T extends AsyncDisposable> implements AsyncDisposable {
  readonly #start: () => Promise<T>
  readonly #all: T[] = []

  constructor(start: () => Promise<T>) {
    this.#start = start
  }

  async next(): Promise<T> {
    const next = await this.#start()
    this.#all.push(next)
    return next
  }

  current(): T {
    const current = this.#all.at(-1)
    if (current === undefined) throw new Error('no storage: reset the builder first')
    return current
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#all) await one[Symbol.asyncDispose]()
  }
}

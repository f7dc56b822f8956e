import { closeSync, openSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { checkpoint, comparePaths, lastAtMost, type Name, TsbuildError } from '#core'
import type { CopyBuffer } from '../content/copy-buffer.ts'
import type { CheckedChunk, ContentsEntry } from './contents-entry.ts'
import { TarContents } from './tar-contents.ts'

/** An earlier layer of the same step. */
export interface PreviousFiles {
  /** What `ContentsWriter` has noted of its tar. */
  readonly contents: string
  /** The tar; `undefined` where only the differences to it are wanted. */
  readonly tar: string | undefined
}

/** An earlier layer of a copy, that the next one is compared with while both are walked. */
export class PreviousLayer implements Disposable {
  /** Number of entries. */
  readonly count: number
  readonly #contents: TarContents
  readonly #entries: Generator<ContentsEntry>
  readonly #tar: CheckedTar | undefined
  /** The first entry that the walk has not come to. */
  #next: ContentsEntry | undefined
  #last = ''
  #isInOrder = true

  private constructor(contents: TarContents, tar: CheckedTar | undefined) {
    this.#contents = contents
    this.#tar = tar
    this.count = contents.count
    this.#entries = contents.entries()
    this.#next = this.#take()
  }

  /** `undefined` when nothing can be taken from it. */
  static open({ contents: path, tar }: PreviousFiles): PreviousLayer | undefined {
    const contents = TarContents.open(path)
    if (contents === undefined) return undefined
    try {
      return new PreviousLayer(
        contents,
        tar === undefined ? undefined : new CheckedTar(tar, contents),
      )
    } catch (cause) {
      contents[Symbol.dispose]()
      throw cause
    }
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

  /**
   * Copies the content of a file through a buffer.
   * @throws {TsbuildError} DIGEST_MISMATCH when the tar is not what was written
   */
  copy(entry: ContentsEntry, to: CopyBuffer): void {
    if (this.#tar === undefined) throw new Error('there is no tar to copy from')
    this.#tar.copy(entry, to)
  }

  [Symbol.dispose](): void {
    this.#contents[Symbol.dispose]()
    this.#tar?.[Symbol.dispose]()
  }

  #take(): ContentsEntry | undefined {
    const next = this.#entries.next()
    return next.done ? undefined : next.value
  }
}

/** A tar that is read in whole chunks, each of which is checked: what was damaged is never passed on. */
class CheckedTar implements Disposable {
  readonly #fd: number
  readonly #path: string
  readonly #chunks: readonly CheckedChunk[]
  readonly #buffer: Buffer
  /** Index of the chunk in the buffer. */
  #held = -1

  constructor(path: string, { chunks }: TarContents) {
    this.#path = path
    this.#chunks = chunks
    this.#buffer = Buffer.allocUnsafeSlow(
      chunks.reduce((most, { size }) => Math.max(most, size), 1),
    )
    this.#fd = openSync(path, 'r')
  }

  copy({ position, size }: ContentsEntry, to: CopyBuffer): void {
    let at = position
    const chunkAt = (one: number): number => this.#chunks[one]?.position ?? 0
    let index = lastAtMost(this.#chunks.length, (one) => chunkAt(one) - position)
    for (let left = size; left > 0; ) {
      checkpoint()
      const chunk = this.#chunks[index]
      if (chunk === undefined) throw this.#damage()
      this.#hold(index, chunk)
      if (to.used === to.buffer.length) to.flush()
      const from = at - chunk.position
      const length = Math.min(left, chunk.size - from, to.buffer.length - to.used)
      this.#buffer.copy(to.buffer, to.used, from, from + length)
      to.used += length
      at += length
      left -= length
      if (at === chunk.position + chunk.size) index++
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }

  #hold(index: number, { position, size, crc }: CheckedChunk): void {
    if (this.#held === index) return
    this.#held = -1
    for (let at = 0; at < size; ) {
      const got = readSync(this.#fd, this.#buffer, at, size - at, position + at)
      if (got === 0) throw this.#damage()
      at += got
    }
    if (crc32(this.#buffer.subarray(0, size)) !== crc) throw this.#damage()
    this.#held = index
  }

  #damage(): TsbuildError {
    return new TsbuildError(`${this.#path} is not what was written`, {
      code: 'DIGEST_MISMATCH',
      hint: 'it was damaged on the disk; have a look at it',
    })
  }
}

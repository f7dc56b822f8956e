import { closeSync, openSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { checkpoint, lastAtMost, TsbuildError } from '#core'
import type { CopyBuffer } from '../content/copy-buffer.ts'
import type { CheckedChunk } from './tar-chunks.ts'

/** A tar that is read in whole chunks, each of which is checked: what was damaged is never passed on. */
export class CheckedTar implements Disposable {
  readonly #fd: number
  readonly #path: string
  readonly #chunks: readonly CheckedChunk[]
  readonly #buffer: Buffer
  /** Index of the chunk in the buffer. */
  #held = -1

  /** @param chunks as they were written, from the beginning on */
  constructor(path: string, chunks: readonly CheckedChunk[]) {
    this.#path = path
    this.#chunks = chunks
    this.#buffer = Buffer.allocUnsafeSlow(
      chunks.reduce((most, { size }) => Math.max(most, size), 1),
    )
    this.#fd = openSync(path, 'r')
  }

  /**
   * Copies bytes of the tar through a buffer.
   * @throws {TsbuildError} DIGEST_MISMATCH when the tar is not what was written
   */
  copy(range: { readonly position: number; readonly size: number }, to: CopyBuffer): void {
    let at = range.position
    const chunkAt = (one: number): number => this.#chunks[one]?.position ?? 0
    let index = lastAtMost(this.#chunks.length, (one) => chunkAt(one) - at)
    for (let left = range.size; left > 0; ) {
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
    return damageError(this.#path)
  }
}

/** The failure of a file of the store that its own notes do not fit. */
export function damageError(path: string): TsbuildError {
  return new TsbuildError(`${path} is not what was written`, {
    code: 'DIGEST_MISMATCH',
    hint: 'it was damaged on the disk; have a look at it',
  })
}

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
      const from = at - chunk.position
      const isWhole = from === 0 && left >= chunk.size && chunk.size <= to.buffer.length
      const length = isWhole ? this.#readInto(chunk, to) : this.#copyFrom(index, { from, left }, to)
      at += length
      left -= length
      if (at === chunk.position + chunk.size) index++
    }
  }

  /** A whole chunk goes straight to its place. @returns its bytes */
  #readInto(chunk: CheckedChunk, to: CopyBuffer): number {
    if (to.buffer.length - to.used < chunk.size) to.flush()
    this.#read(chunk, to.buffer.subarray(to.used, to.used + chunk.size))
    to.used += chunk.size
    return chunk.size
  }

  /** @returns how many bytes were copied */
  #copyFrom(
    index: number,
    { from, left }: { readonly from: number; readonly left: number },
    to: CopyBuffer,
  ): number {
    const chunk = this.#hold(index)
    if (to.used === to.buffer.length) to.flush()
    const length = Math.min(left, chunk.length - from, to.buffer.length - to.used)
    chunk.copy(to.buffer, to.used, from, from + length)
    to.used += length
    return length
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }

  #hold(index: number): Buffer {
    const chunk = this.#chunks[index]
    if (chunk === undefined) throw this.#damage()
    const held = this.#buffer.subarray(0, chunk.size)
    if (this.#held === index) return held
    this.#held = -1
    this.#read(chunk, held)
    this.#held = index
    return held
  }

  #read({ position, size, crc }: CheckedChunk, to: Buffer): void {
    for (let at = 0; at < size; ) {
      const got = readSync(this.#fd, to, at, size - at, position + at)
      if (got === 0) throw this.#damage()
      at += got
    }
    if (crc32(to) !== crc) throw this.#damage()
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

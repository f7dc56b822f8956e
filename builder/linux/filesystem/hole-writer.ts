import { ftruncateSync } from 'node:fs'
import { isHole } from '#core'
import { writeAt } from './write-all.ts'

/** Writes a new, empty file from its beginning: pieces that are nothing but zeros become holes in it. */
export class HoleWriter {
  readonly #file: number
  #isOpenEnded = false
  /** Bytes so far, with those in holes. */
  size = 0

  constructor(file: number) {
    this.#file = file
  }

  write(bytes: Uint8Array): void {
    if (isHole(bytes)) {
      this.skip(bytes.length)
      return
    }
    writeAt(this.#file, bytes, this.size)
    this.size += bytes.length
    this.#isOpenEnded = false
  }

  /** The same for so many zeros that nobody has. */
  skip(length: number): void {
    this.size += length
    this.#isOpenEnded = true
  }

  /** To be called after the last piece: a hole at the end is none until then. */
  finish(): void {
    if (this.#isOpenEnded) ftruncateSync(this.#file, this.size)
  }
}

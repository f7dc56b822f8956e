import type { Buffer } from 'node:buffer'
import type { SparseForm } from './sparse-map.ts'

/** Gets the content of a file in order. */
export interface ContentHandler {
  content(bytes: Buffer): void
  /** Zeros that are not in the tar. */
  hole(length: number): void
}

/** Turns the parts of a sparse file that a tar holds into content and holes. */
export class SparseContent {
  readonly #form: SparseForm
  readonly #to: ContentHandler
  /** The part that the next byte belongs to. */
  #part = 0
  /** Bytes of the file that were handled. */
  #position = 0

  constructor(form: SparseForm, to: ContentHandler) {
    this.#form = form
    this.#to = to
  }

  /** Takes a piece of what the tar has. */
  add(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const part = this.#form.parts[this.#part]
      if (part === undefined) throw new Error('more content than the sparse map says')
      this.#skipTo(Math.max(part.offset, this.#position))
      const left = part.offset + part.length - this.#position
      const piece = bytes.subarray(at, at + left)
      if (piece.length > 0) this.#to.content(piece)
      at += piece.length
      this.#position += piece.length
      if (piece.length === left) this.#part += 1
    }
  }

  end(): void {
    this.#skipTo(this.#form.size)
  }

  #skipTo(position: number): void {
    if (position > this.#position) this.#to.hole(position - this.#position)
    this.#position = position
  }
}

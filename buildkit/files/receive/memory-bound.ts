import { protocolError } from '../packets/transfer-error.ts'

/**
 * Bytes that are kept in mind of the files of one transfer. A regular file takes its path and some more, for hard
 * links to it; while its content is awaited, also what is to be set of it. So there can be two million files with paths of
 * 100 bytes. BuildKit has no bound.
 */
const MOST_KEPT_BYTES = 512 * 1024 * 1024

/** What is kept in mind of a transfer. */
export class MemoryBound {
  readonly #most: number
  #kept = 0

  constructor(most: number = MOST_KEPT_BYTES) {
    this.#most = most
  }

  /** @throws {TsbuildError} USAGE when it is too much */
  add(bytes: number): void {
    this.#kept += bytes
    if (this.#kept > this.#most) throw protocolError('too many files')
  }

  take(bytes: number): void {
    this.#kept -= bytes
  }
}

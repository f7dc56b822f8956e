import { closeSync, fstatSync, openSync, readSync, write } from 'node:fs'
import { promisify } from 'node:util'
import { NEWLINE } from '../format/log-line.ts'
import type { LogFiles } from './log-files.ts'

const writeAsync = promisify(write)

/** What an appender needs to know of the log. */
export interface AppenderOptions {
  readonly files: LogFiles
  /** Bytes after which a file is full. */
  readonly maxSize: number
  /** Ends an entry of which the file has a part. */
  readonly repair: Buffer
  /** A file has become full, and has its new name. */
  readonly onRotate: () => void
}

/** The file of a log that is written. Entries are not divided among files. */
export class LogAppender {
  readonly #options: AppenderOptions
  #descriptor: number | undefined
  #size = 0
  /** The file ends in a part of an entry. */
  #isTorn = false

  constructor(options: AppenderOptions) {
    this.#options = options
  }

  /**
   * Writes entries; not called again before it has returned.
   * @throws what the system says; then a part of them may be written, and the next call continues on a new line
   */
  async append(entries: Buffer): Promise<void> {
    let rest = entries
    while (rest.length > 0) {
      const descriptor = this.#open()
      const count = this.#fitting(rest)
      if (this.#isTorn) await this.#write(descriptor, this.#options.repair)
      await this.#write(descriptor, rest.subarray(0, count))
      rest = rest.subarray(count)
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  /** How many bytes go to this file: docker looks whether it is full before each entry. */
  #fitting(entries: Buffer): number {
    const room = this.#options.maxSize - this.#size
    if (room >= entries.length) return entries.length
    return entries.indexOf(NEWLINE, room - 1) + 1
  }

  async #write(descriptor: number, bytes: Buffer): Promise<void> {
    let written = 0
    while (written < bytes.length) {
      const { bytesWritten } = await writeAsync(descriptor, bytes, written)
      written += bytesWritten
      this.#size += bytesWritten
      this.#isTorn = bytes[written - 1] !== NEWLINE
    }
  }

  #open(): number {
    const { files, maxSize, onRotate } = this.#options
    if (this.#descriptor === undefined) this.#openLatest()
    if (this.#size >= maxSize) {
      this.close()
      files.rotate()
      this.#openLatest()
      onRotate()
    }
    if (this.#descriptor === undefined) throw new Error('the log is not open')
    return this.#descriptor
  }

  #openLatest(): void {
    // Read as well: what an earlier process has left says whether it was torn.
    const descriptor = openSync(this.#options.files.path, 'a+', MODE)
    this.#descriptor = descriptor
    this.#size = fstatSync(descriptor).size
    this.#isTorn = this.#size > 0 && lastByte(descriptor, this.#size) !== NEWLINE
  }
}

/** As docker gives it. */
const MODE = 0o640

function lastByte(descriptor: number, size: number): number | undefined {
  const byte = Buffer.alloc(1)
  readSync(descriptor, byte, 0, 1, size - 1)
  return byte[0]
}

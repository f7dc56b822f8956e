import { createReadStream, createWriteStream, utimesSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type LogFiles, unlinkIfThere } from './log-files.ts'

/** Compresses full files of a log, one at a time, while it is written. */
export class Compressor {
  readonly #files: LogFiles
  readonly #onFailure: (failure: unknown) => void
  readonly #stop = new AbortController()
  readonly #temporary: string
  #running: Promise<void> | undefined

  constructor(files: LogFiles, onFailure: (failure: unknown) => void) {
    this.#files = files
    this.#onFailure = onFailure
    this.#temporary = `${files.path}.gz.tmp`
  }

  /** Begins, or goes on with, whatever file is full and not compressed. */
  start(): void {
    if (this.#stop.signal.aborted) return
    this.#running ??= this.#compressAll().finally(() => {
      this.#running = undefined
    })
  }

  /** A file that is not finished stays as it is until the log is written again. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #compressAll(): Promise<void> {
    // A file that cannot be compressed is tried again after the next rotation.
    const failed = new Set<number>()
    for (;;) {
      const generation = this.#files.plain.find((one) => !failed.has(one))
      if (generation === undefined || this.#stop.signal.aborted) return
      try {
        await this.#compress(generation)
      } catch (cause) {
        failed.add(generation)
        if (!this.#stop.signal.aborted) this.#onFailure(cause)
      }
    }
  }

  async #compress(generation: number): Promise<void> {
    const file = this.#files.open(generation)
    if (file === undefined) return
    try {
      await pipeline(
        createReadStream('', { fd: file.descriptor }),
        createGzip({ level: LEVEL }),
        // A crash may not leave less than there was.
        createWriteStream(this.#temporary, { mode: MODE, flush: true }),
        { signal: this.#stop.signal },
      )
      const seconds = file.changed / 1000
      utimesSync(this.#temporary, seconds, seconds)
      if (!this.#files.replace(generation, this.#temporary)) unlinkIfThere(this.#temporary)
    } catch (cause) {
      unlinkIfThere(this.#temporary)
      throw cause
    }
  }
}
/** Output compresses well, and this one costs a quarter of the default. */
const LEVEL = 1
/** As docker gives it. */
const MODE = 0o640

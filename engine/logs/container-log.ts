import { Compressor } from './files/compress.ts'
import { LogAppender } from './files/log-appender.ts'
import { LogFiles, type LogLimits } from './files/log-files.ts'
import { LogWriter } from './files/log-writer.ts'
import { Pulse } from './files/pulse.ts'
import type { EntryFormat } from './format/entry-format.ts'
import { LineSplitter } from './format/line-splitter.ts'
import type { LogLine, LogStream } from './format/log-line.ts'
import { NanosecondClock } from './format/nanosecond-clock.ts'
import { followLog, type ReadableLog, type ReadOptions, readLog } from './reading/read-log.ts'

/** What a container prints, written and read. There is one at a time for each container. */
export interface ContainerLog extends AsyncDisposable {
  /**
   * Takes what came from a pipe of the container; the bytes are not kept. Never fails: a disk that is full costs lines.
   * @returns a promise where the disk is slow: the pipe is not read before it is fulfilled
   */
  write(stream: LogStream, data: Uint8Array): Promise<void> | undefined
  /** The container starts again after an `end`. */
  begin(): void
  /**
   * The container has ended: lines without newlines are written, and readers that follow end. It may be started, and
   * written, again.
   */
  end(): Promise<void>
  /** The lines that there are. @throws {TsbuildError} UNSUPPORTED where none are kept */
  read(options: ReadOptions): AsyncIterable<LogLine>
  /**
   * The same, and those to come until `end` (at once when it was before), or until `signal` aborts. Nothing waits for a slow reader, which loses what
   * rotation removes.
   */
  follow(options: ReadOptions & { readonly signal: AbortSignal }): AsyncIterable<LogLine>
}

/** What makes a log of files. */
export interface FileLogOptions {
  readonly path: string
  readonly format: EntryFormat
  readonly limits: LogLimits
  readonly maxBuffered: number | undefined
  /** Called for the first failure after the log was opened. */
  readonly onFailure: (failure: unknown) => void
}

/** A log in files that are rotated. */
export class FileLog implements ContainerLog {
  readonly #files: LogFiles
  readonly #pulse = new Pulse()
  readonly #writer: LogWriter
  readonly #compressor: Compressor
  readonly #splitters: Readonly<Record<LogStream, LineSplitter>>
  readonly #clock = new NanosecondClock()
  readonly #readable: ReadableLog
  #endings = 0
  #hasEnded = false
  #hasFailed = false

  constructor(options: FileLogOptions) {
    const { format, limits, maxBuffered } = options
    this.#files = new LogFiles(options.path, limits)
    const onFailure = (failure: unknown): void => {
      if (!this.#hasFailed) options.onFailure(failure)
      this.#hasFailed = true
    }
    this.#compressor = new Compressor(this.#files, onFailure)
    const appender = new LogAppender({
      files: this.#files,
      maxSize: limits.maxSize,
      repair: format.repair,
      onRotate: () => limits.isCompressed && this.#compressor.start(),
    })
    const { encode } = format
    const pulse = this.#pulse
    this.#writer = new LogWriter({ appender, encode, maxBuffered, pulse, onFailure })
    const write = this.#writer.write.bind(this.#writer)
    this.#splitters = {
      stdout: new LineSplitter('stdout', write),
      stderr: new LineSplitter('stderr', write),
    }
    this.#readable = { files: this.#files, format, pulse, endings: () => this.#endings }
  }

  write(stream: LogStream, data: Uint8Array): Promise<void> | undefined {
    this.#splitters[stream].push(data, this.#clock.now())
    return this.#writer.isFull ? this.#writer.hasRoom() : undefined
  }

  begin(): void {
    this.#hasEnded = false
  }

  async end(): Promise<void> {
    for (const splitter of Object.values(this.#splitters)) splitter.end()
    await this.#writer.flush()
    this.#writer.release()
    this.#endings++
    this.#hasEnded = true
    this.#pulse.beat()
  }

  async *read(options: ReadOptions): AsyncGenerator<LogLine> {
    await this.#writer.flush()
    yield* readLog(this.#readable, options)
  }

  follow(options: ReadOptions & { readonly signal: AbortSignal }): AsyncIterable<LogLine> {
    // Looked at now: the container may end before the first line is asked for.
    const ending = this.#hasEnded ? this.#endings : this.#endings + 1
    return this.#linesUntil(ending, options)
  }

  async *#linesUntil(
    ending: number,
    options: ReadOptions & { readonly signal: AbortSignal },
  ): AsyncGenerator<LogLine> {
    await this.#writer.flush()
    yield* followLog(this.#readable, { ...options, ending })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
    await this.#compressor.stop()
  }
}

import { closeSync, fstatSync } from 'node:fs'
import type { LogFiles, OpenedFile } from '../files/log-files.ts'
import type { Pulse } from '../files/pulse.ts'
import type { EntryFormat } from '../format/entry-format.ts'
import { endsLine, type LogLine, type LogStream } from '../format/log-line.ts'
import { BLOCK_BYTES, readBlock, unpackedBlocks } from './blocks.ts'
import { EntryAssembler } from './entries.ts'
import { findTail, type LogPosition } from './find-tail.ts'

/** What is read of a log. Lines are those that fit all of it. */
export interface ReadOptions {
  readonly streams: ReadonlySet<LogStream>
  /** Nanoseconds since the epoch: no line before. */
  readonly since?: bigint | undefined
  /** No line after; one that follows ends then. */
  readonly until?: bigint | undefined
  /** So many lines at the end, of both streams, before anything else is looked at; default: all. */
  readonly tail?: number | undefined
}

/** The log that is read. */
export interface ReadableLog {
  readonly files: LogFiles
  readonly format: EntryFormat
  /** Beats when something was written, and when nothing more will be. */
  readonly pulse: Pulse
  /** How often its container has ended. */
  readonly endings: () => number
}

/** How long a log is read: to what it has now, or until it ends or `signal` aborts. */
type Span =
  | { readonly kind: 'now'; readonly generation: number; readonly size: number }
  | { readonly kind: 'follow'; readonly ending: number; readonly signal: AbortSignal }

/** Lines that are there, in order. A reader that waits keeps a block in memory, and nothing waits for it. */
export async function* readLog(log: ReadableLog, options: ReadOptions): AsyncGenerator<LogLine> {
  const generation = log.files.latest
  const span: Span = { kind: 'now', generation, size: sizeOf(log.files, generation) }
  yield* new LogReader(log, options, span).lines()
}

/** The same, and then those to come, until the container has ended `ending` times, or `until` is over. */
export async function* followLog(
  log: ReadableLog,
  options: ReadOptions & { readonly signal: AbortSignal; readonly ending: number },
): AsyncGenerator<LogLine> {
  using clock = untilTime(options)
  const span: Span = { kind: 'follow', ending: options.ending, signal: clock.signal }
  yield* new LogReader(log, options, span).lines()
}

const LONGEST_TIMER = 2 ** 31 - 1
const PER_MILLISECOND = 1_000_000n

/** A signal that aborts after `until` as well. */
function untilTime({
  until,
  signal,
}: ReadOptions & { readonly signal: AbortSignal }): Disposable & { readonly signal: AbortSignal } {
  if (until === undefined) return { signal, [Symbol.dispose]: () => undefined }
  const end = new AbortController()
  const left = Number(until / PER_MILLISECOND) - Date.now()
  // A line of the last moment may take a moment to be written.
  const timer = setTimeout(() => end.abort(), Math.min(LONGEST_TIMER, Math.max(0, left + LATE)))
  return {
    signal: AbortSignal.any([signal, end.signal]),
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}

const LATE = 20
/** Milliseconds by which the clock of a file system may be behind. */
const COARSE = 1_000

function sizeOf(files: LogFiles, generation: number): number {
  const file = files.open(generation)
  if (file === undefined) return 0
  const { size } = fstatSync(file.descriptor)
  closeSync(file.descriptor)
  return size
}

class LogReader {
  readonly #log: ReadableLog
  readonly #options: ReadOptions
  readonly #span: Span
  /** Streams whose latest entry did not end its line. */
  readonly #unfinished = new Set<LogStream>()
  #skippedLines = 0

  constructor(log: ReadableLog, options: ReadOptions, span: Span) {
    this.#log = log
    this.#options = options
    this.#span = span
  }

  async *lines(): AsyncGenerator<LogLine> {
    const { files } = this.#log
    const start = await this.#start()
    this.#skippedLines = start.skippedLines
    let { generation, offset } = start
    while (generation <= this.#lastGeneration()) {
      yield* this.#linesOf(generation, offset)
      if (this.#isOver() && generation >= files.latest) return
      // What was removed while this reader waited is lost to it.
      generation = Math.max(generation + 1, files.oldest)
      offset = 0
      this.#skippedLines = 0
    }
  }

  async #start(): Promise<LogPosition> {
    const { files } = this.#log
    const { tail } = this.#options
    if (tail !== undefined) return await findTail(tail, this.#log)
    return { generation: files.oldest, offset: 0, skippedLines: 0 }
  }

  #lastGeneration(): number {
    return this.#span.kind === 'now' ? this.#span.generation : Infinity
  }

  /** A reader that follows has nothing to wait for. */
  #isOver(): boolean {
    const span = this.#span
    if (span.kind === 'now') return false
    return span.signal.aborted || this.#log.endings() >= span.ending
  }

  async *#linesOf(generation: number, offset: number): AsyncGenerator<LogLine> {
    const file = await this.#open(generation)
    if (file === undefined) return
    try {
      const entries = new EntryAssembler()
      const blocks = file.isCompressed
        ? unpackedBlocks(file.descriptor, offset)
        : this.#plainBlocks(file, generation, offset)
      for await (const block of blocks) {
        for (const entry of entries.push(block)) {
          const line = this.#selected(entry)
          if (line !== undefined) yield line
        }
      }
    } finally {
      closeSync(file.descriptor)
    }
  }

  /** Waits for a file that is not made yet. */
  async #open(generation: number): Promise<OpenedFile | undefined> {
    const { files, pulse } = this.#log
    for (;;) {
      const { beats } = pulse
      const file = files.open(generation)
      const isFull = generation < files.latest
      if (file !== undefined && isFull && this.#isTooOld(file)) closeSync(file.descriptor)
      else if (file !== undefined) return file
      if (isFull || this.#span.kind === 'now' || this.#isOver()) return undefined
      await pulse.wait(beats, this.#span.signal)
    }
  }

  #isTooOld({ changed }: OpenedFile): boolean {
    const { since } = this.#options
    return since !== undefined && BigInt(Math.ceil(changed) + COARSE) * PER_MILLISECOND < since
  }

  async *#plainBlocks(
    { descriptor }: OpenedFile,
    generation: number,
    offset: number,
  ): AsyncGenerator<Buffer> {
    const { files, pulse } = this.#log
    const span = this.#span
    let at = offset
    for (;;) {
      const isFinished = generation < files.latest || this.#isOver()
      const isLast = span.kind === 'now' && generation === span.generation
      const left = isLast ? span.size - at : BLOCK_BYTES
      const { beats } = pulse
      const block = await readBlock(descriptor, at, Math.max(0, Math.min(left, BLOCK_BYTES)))
      at += block.length
      if (block.length > 0) yield block
      else if (isFinished || span.kind === 'now') return
      else await pulse.wait(beats, span.signal)
    }
  }

  #selected(entry: Buffer): LogLine | undefined {
    const decoded = this.#log.format.decode(entry)
    if (decoded === undefined) return undefined
    const { stream, time, data } = decoded
    const isContinued = this.#unfinished.has(stream)
    if (endsLine(data)) this.#unfinished.delete(stream)
    else this.#unfinished.add(stream)
    if (this.#skippedLines > 0) {
      if (endsLine(data)) this.#skippedLines--
      return undefined
    }
    const { streams, since = time, until = time } = this.#options
    if (!streams.has(stream) || time < since || time > until) return undefined
    return { stream, time, data, isContinued }
  }
}

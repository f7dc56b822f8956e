import type { LineRun } from '../format/line-run.ts'
import { NEWLINE } from '../format/log-line.ts'
import type { LogAppender } from './log-appender.ts'
import type { Pulse } from './pulse.ts'

/** Bytes of a log that wait for a slow disk in memory, before its container has to wait. */
const MOST_WAITING = 256 * 1024

/** How a log is written. */
export interface WriterOptions {
  readonly appender: LogAppender
  readonly encode: (run: LineRun) => Buffer
  /** Bytes of output that wait for the disk, beyond which lines are lost; `undefined`: the container waits. */
  readonly maxBuffered: number | undefined
  /** Beats after each write. */
  readonly pulse: Pulse
  readonly onFailure: (failure: unknown) => void
}

/**
 * Writes behind: what comes while a write is under way is written together after it. That is quick where the disk is,
 * and needs few writes where it is not.
 */
export class LogWriter {
  readonly #options: WriterOptions
  #waiting: Buffer[] = []
  /** Bytes that are not written yet, as they are in the file. */
  #size = 0
  /** The same as they were printed. */
  #printed = 0
  /** The same of all runs so far, and of those that are done with. */
  #accepted = 0
  #done = 0
  #isWriting = false

  constructor(options: WriterOptions) {
    this.#options = options
  }

  /** More than this would wait in memory: the writer of a pipe has to. */
  get isFull(): boolean {
    return this.#options.maxBuffered === undefined && this.#size > MOST_WAITING
  }

  /** The bytes of `run` are not kept. */
  write(run: LineRun): void {
    const bytes = this.#withinBuffer(run.bytes)
    if (bytes.length === 0) return
    const entries = this.#options.encode({ ...run, bytes })
    this.#waiting.push(entries)
    this.#size += entries.length
    this.#printed += bytes.length
    this.#accepted += bytes.length
    if (!this.#isWriting) void this.#writeAll()
  }

  /** Until there is room, for a writer that has to wait. */
  async hasRoom(): Promise<void> {
    const { pulse } = this.#options
    while (this.isFull) await pulse.wait(pulse.beats)
  }

  /** Until all that was accepted before is written, or lost to an error. */
  async flush(): Promise<void> {
    const accepted = this.#accepted
    const { pulse } = this.#options
    while (this.#done < accepted) await pulse.wait(pulse.beats)
  }

  /** Closes the file, unless more has come meanwhile. */
  release(): void {
    if (!this.#isWriting) this.#options.appender.close()
  }

  /** Docker drops what is beyond the buffer, unless that is empty. */
  #withinBuffer(bytes: Buffer): Buffer {
    const { maxBuffered = Infinity } = this.#options
    const room = maxBuffered - this.#printed
    if (bytes.length <= room) return bytes
    const end = room <= 0 ? 0 : bytes.subarray(0, room).lastIndexOf(NEWLINE) + 1
    return end === 0 && this.#printed === 0 ? firstLine(bytes) : bytes.subarray(0, end)
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true
    // In the same turn of the event loop more may come.
    await undefined
    while (this.#waiting.length > 0) {
      const [printed, entries] = [this.#printed, this.#waiting]
      this.#waiting = []
      const size = entries.reduce((sum, { length }) => sum + length, 0)
      await this.#append(entries)
      this.#size -= size
      this.#printed -= printed
      this.#done += printed
      this.#options.pulse.beat()
    }
    this.#isWriting = false
  }

  /** Where it fails, the container goes on without these lines, and with the next ones if the disk takes them. */
  async #append(entries: readonly Buffer[]): Promise<void> {
    try {
      const [first = Buffer.alloc(0)] = entries
      await this.#options.appender.append(entries.length === 1 ? first : Buffer.concat(entries))
    } catch (cause) {
      this.#options.onFailure(cause)
    }
  }
}

function firstLine(bytes: Buffer): Buffer {
  const end = bytes.indexOf(NEWLINE) + 1
  return end === 0 ? bytes : bytes.subarray(0, end)
}

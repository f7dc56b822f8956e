import type { LineRun } from '../format/line-run.ts'
import { NEWLINE } from '../format/log-line.ts'
import type { LogAppender } from './log-appender.ts'
import type { Pulse } from './pulse.ts'
import { TURN_SHARE } from './turn-share.ts'

/** Bytes of output that wait in memory for their turn and for the disk, before their container has to wait. */
const MOST_WAITING = 128 * 1024

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
  #waiting: LineRun[] = []
  /** Bytes of output that are not written yet. */
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
    return this.#options.maxBuffered === undefined && this.#printed > MOST_WAITING
  }

  /** The bytes of `run` are not kept. */
  write(run: LineRun): void {
    const bytes = this.#withinBuffer(run.bytes)
    if (bytes.length === 0) return
    this.#waiting.push({ ...run, bytes: Buffer.from(bytes) })
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
      const [printed, runs] = [this.#printed, this.#waiting]
      this.#waiting = []
      await this.#append(runs)
      this.#printed -= printed
      this.#done += printed
      this.#options.pulse.beat()
    }
    this.#isWriting = false
  }

  /** Where it fails, the container goes on without these lines, and with the next ones if the disk takes them. */
  async #append(runs: readonly LineRun[]): Promise<void> {
    const { appender, encode } = this.#options
    try {
      await appender.append(await TURN_SHARE.use(() => Buffer.concat(runs.map(encode))))
    } catch (cause) {
      this.#options.onFailure(cause)
    }
  }
}

function firstLine(bytes: Buffer): Buffer {
  const end = bytes.indexOf(NEWLINE) + 1
  return end === 0 ? bytes : bytes.subarray(0, end)
}

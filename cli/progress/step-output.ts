import type { VertexLog } from '#core'
import { cleanLine } from '../terminal/text.ts'

/** A longer line is cut for display. */
const LINE_LIMIT = 4096
/** Of one piece of output, a tail looks at this many bytes. */
const TAIL_BYTES = 16 * 1024

/**
 * Turns the bytes of one stream into clean lines. A carriage return starts the line anew, as on a
 * terminal, so that a progress bar leaves its last state only. Invalid UTF-8 becomes U+FFFD.
 */
export class LineSplitter {
  readonly #decoder = new TextDecoder()
  #partial = ''

  /** The lines that `data` completes. */
  push(data: Uint8Array): readonly string[] {
    const pieces = this.#decoder.decode(data, { stream: true }).split('\n')
    const last = pieces.pop() ?? ''
    const lines = pieces.map((piece) => {
      const line = visible(this.#partial + piece)
      this.#partial = ''
      return line
    })
    this.#partial = shorten(this.#partial + last)
    return lines
  }

  /** The unfinished line, which is then forgotten; `undefined` when there is none. */
  take(): string | undefined {
    const line = visible(this.#partial)
    this.#partial = ''
    return line === '' ? undefined : line
  }

  /** The unfinished line, which stays. */
  peek(): string | undefined {
    const line = visible(this.#partial)
    return line === '' ? undefined : line
  }
}

/** What a terminal would show of a line with carriage returns in it. */
function visible(raw: string): string {
  const line = cleanLine(afterReturn(raw).replace(/\r+$/, ''))
  return line.length <= LINE_LIMIT ? line : `${line.slice(0, LINE_LIMIT)}…`
}

function afterReturn(raw: string): string {
  const text = raw.replace(/\r+$/, '\r')
  const end = text.endsWith('\r') ? text.length - 2 : text.length - 1
  return end < 0 ? text : text.slice(text.lastIndexOf('\r', end) + 1)
}

/** Bounds what is kept of an unfinished line: more of it is never shown. */
function shorten(raw: string): string {
  const text = afterReturn(raw)
  if (text.length <= LINE_LIMIT * 2) return text
  return text.slice(0, LINE_LIMIT + 1) + (text.endsWith('\r') ? '\r' : '')
}

/** A step's two streams, each with its own unfinished line. */
export class StepLines {
  readonly #stdout = new LineSplitter()
  readonly #stderr = new LineSplitter()

  push(event: Pick<VertexLog, 'stream' | 'data'>): readonly string[] {
    return (event.stream === 'stdout' ? this.#stdout : this.#stderr).push(event.data)
  }

  /** The unfinished lines of both streams, which are then forgotten. */
  take(): readonly string[] {
    return [this.#stdout.take(), this.#stderr.take()].filter((line) => line !== undefined)
  }

  /** The unfinished lines of both streams, which stay. */
  peek(): readonly string[] {
    return [this.#stdout.peek(), this.#stderr.peek()].filter((line) => line !== undefined)
  }
}

/** Bytes in all and bytes a second that are shown of one step; -1 means unlimited. */
export interface LogLimits {
  readonly size: number
  readonly speed: number
}

/** 2 MiB and 200 KiB/s, as BuildKit has it. */
export const LOG_LIMITS: LogLimits = { size: 2 * 1024 * 1024, speed: 200 * 1024 }

/** Decides how much of a step's output is shown, and says once when it stops. */
export class LogClip {
  readonly #limits: LogLimits
  #size = 0
  #reason: 'size' | 'speed' | undefined

  constructor(limits: LogLimits) {
    this.#limits = limits
  }

  /** The part of `data` to show, and the note to print after it. `seconds` since the step began. */
  admit(data: Uint8Array, seconds: number): { shown: Uint8Array; note: string | undefined } {
    const { size, speed } = this.#limits
    const bySize = size < 0 ? Number.POSITIVE_INFINITY : size - this.#size
    const bySpeed =
      speed < 0 ? Number.POSITIVE_INFINITY : Math.floor(speed * Math.max(1, seconds)) - this.#size
    const allowed = Math.max(0, Math.min(bySize, bySpeed))
    const shown = data.length <= allowed ? data : data.subarray(0, allowed)
    this.#size += shown.length
    if (shown.length === data.length) {
      this.#reason = undefined
      return { shown, note: undefined }
    }
    const reason = bySize <= bySpeed ? 'size' : 'speed'
    if (this.#reason === reason) return { shown, note: undefined }
    this.#reason = reason
    const limit = reason === 'size' ? binarySize(size) : `${binarySize(speed)}/s`
    return { shown, note: `[output clipped, log limit ${limit} reached]` }
  }
}

function binarySize(bytes: number): string {
  if (bytes % (1024 * 1024) === 0) return `${bytes / 1024 / 1024}MiB`
  return bytes % 1024 === 0 ? `${bytes / 1024}KiB` : `${bytes}B`
}

/** The last lines of a step's output, whatever its amount. */
export class LogTail {
  readonly #count: number
  readonly #lines = new StepLines()
  #kept: string[] = []

  constructor(count: number) {
    this.#count = count
  }

  /** `mark` goes in front of each line that `event` completes. */
  push(event: Pick<VertexLog, 'stream' | 'data'>, mark = ''): void {
    const data = event.data.length > TAIL_BYTES ? event.data.subarray(-TAIL_BYTES) : event.data
    const lines = this.#lines.push({ stream: event.stream, data })
    for (const line of lines.slice(-this.#count)) this.#kept.push(mark + line)
    if (this.#kept.length > this.#count) this.#kept = this.#kept.slice(-this.#count)
  }

  /** Complete lines and, last, the unfinished ones with `mark` in front. */
  lines(mark = ''): readonly string[] {
    const open = this.#lines.peek().map((line) => mark + line)
    return [...this.#kept, ...open].slice(-this.#count)
  }
}

/** Seconds as they stand in front of a line of output: fewer decimals as they grow. */
export function formatLogTime(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000
  if (seconds < 10) return seconds.toFixed(3)
  return seconds.toFixed(seconds < 100 ? 2 : 1)
}

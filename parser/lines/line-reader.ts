import type { Diagnostic } from '../text/diagnostics.ts'
import type { Position, SourceRange } from '../text/source.ts'

/** Bytes of a physical line, without its line feed. */
const MAX_LINE_BYTES = 65_535

/** A line of the file. */
export interface PhysicalLine {
  /** 1-based. */
  readonly number: number
  /** Without the line break. */
  readonly text: string
  /** As it is in the file. */
  readonly raw: string
}

type Report = (diagnostic: Diagnostic) => void

/** Reads physical lines and reports those that a Dockerfile cannot have. */
export class LineReader {
  readonly #source: string
  readonly #report: Report
  #offset = 0
  #number = 0

  constructor(source: string, report: Report) {
    this.#source = source
    this.#report = report
  }

  next(): PhysicalLine | undefined {
    const source = this.#source
    if (this.#offset >= source.length) return undefined
    const newline = source.indexOf('\n', this.#offset)
    const raw = source.slice(this.#offset, newline < 0 ? source.length : newline + 1)
    this.#offset += raw.length
    this.#number++
    let end = newline < 0 ? raw.length : raw.length - 1
    while (end > 0 && raw[end - 1] === '\r') end--
    const line = { number: this.#number, text: raw.slice(0, end), raw }
    this.#check(line)
    return line
  }

  #check(line: PhysicalLine): void {
    const text = line.raw.endsWith('\n') ? line.raw.slice(0, -1) : line.raw
    if (text.length * 3 <= MAX_LINE_BYTES || Buffer.byteLength(text) <= MAX_LINE_BYTES) return
    this.#report({
      severity: 'error',
      code: 'line',
      message: `dockerfile line greater than max allowed size of ${MAX_LINE_BYTES}`,
      range: wholeLine(line),
    })
  }
}

/** Behind the last character of a line. */
export function endOf(line: PhysicalLine): Position {
  return { line: line.number, column: line.text.length + 1 }
}

/** All of a line. */
export function wholeLine(line: PhysicalLine): SourceRange {
  return { start: { line: line.number, column: 1 }, end: endOf(line) }
}

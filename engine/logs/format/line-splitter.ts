import type { LineRun } from './line-run.ts'
import type { LogStream } from './log-line.ts'
import { NEWLINE } from './log-line.ts'

/** No line is written in pieces longer than this. Spec: moby daemon/logger/copier.go */
const LONGEST_PIECE = 16 * 1024
/** First and largest room for the beginning of a line. */
const FIRST_ROOM = 256

/**
 * Makes lines of what a pipe gives, which are handed on as soon as they are whole. The beginning of a line waits for
 * the rest, up to the length of a piece. All lines of a chunk have the time at which it came.
 */
export class LineSplitter {
  readonly #stream: LogStream
  readonly #emit: (run: LineRun) => void
  /** The beginning of a line, in the first `#length` bytes. */
  #begun: Buffer = Buffer.alloc(0)
  #length = 0
  /** When the line that is begun, or continued by the next piece, began. */
  #time: bigint | undefined

  constructor(stream: LogStream, emit: (run: LineRun) => void) {
    this.#stream = stream
    this.#emit = emit
  }

  /** `time`: nanoseconds since the epoch. The bytes are not kept. */
  push(data: Uint8Array, time: bigint): void {
    let rest = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    while (rest.length > 0) {
      const isLine = this.#length > 0 || this.#time !== undefined
      rest = rest.subarray(isLine ? this.#continue(rest) : this.#passLines(rest, time))
    }
  }

  /** Hands on what is left of a line: no more is coming. */
  end(): void {
    if (this.#length > 0) this.#emitBegun()
    this.#time = undefined
  }

  /** Hands on all lines at the beginning of `data`, or begins one. @returns how many bytes were taken */
  #passLines(data: Buffer, time: bigint): number {
    const end = endOfLines(data)
    if (end === 0) {
      this.#time = time
      return 0
    }
    this.#emit({ stream: this.#stream, time, bytes: data.subarray(0, end) })
    return end
  }

  /** Adds to the line that is begun. @returns how many bytes were taken */
  #continue(data: Buffer): number {
    const room = LONGEST_PIECE - this.#length
    // A newline may follow a piece that is full; then it is a piece of its own.
    const newline = data.subarray(0, room).indexOf(NEWLINE)
    const count = newline < 0 ? Math.min(room, data.length) : newline + 1
    this.#keep(data.subarray(0, count))
    if (newline >= 0) {
      this.#emitBegun()
      this.#time = undefined
    } else if (this.#length === LONGEST_PIECE) this.#emitPiece()
    return count
  }

  #keep(data: Buffer): void {
    const length = this.#length + data.length
    if (length > this.#begun.length) {
      const room = Math.min(LONGEST_PIECE, Math.max(FIRST_ROOM, 2 * length))
      const larger = Buffer.allocUnsafeSlow(room)
      this.#begun.copy(larger, 0, 0, this.#length)
      this.#begun = larger
    }
    data.copy(this.#begun, this.#length)
    this.#length = length
  }

  #emitBegun(): void {
    const bytes = this.#begun.subarray(0, this.#length)
    this.#emit({ stream: this.#stream, time: this.#time ?? 0n, bytes })
    this.#length = 0
  }

  /** A character that the piece has only the beginning of goes to the next one. */
  #emitPiece(): void {
    const whole = this.#length - unfinishedCharacter(this.#begun.subarray(0, this.#length))
    const next = Buffer.from(this.#begun.subarray(whole, this.#length))
    this.#length = whole
    this.#emitBegun()
    this.#keep(next)
  }
}

/** How many bytes at the beginning are whole lines of which none has more than a piece. */
function endOfLines(data: Buffer): number {
  let end = 0
  while (end < data.length) {
    // The last newline that a line from here can have, so that short lines are passed over together.
    const newline = data.subarray(end, end + LONGEST_PIECE).lastIndexOf(NEWLINE)
    if (newline < 0) break
    end += newline + 1
  }
  return end
}

/** How many bytes at the end are the beginning of a character of UTF-8, and not all of it. */
function unfinishedCharacter(bytes: Buffer): number {
  for (let count = 1; count <= 3; count++) {
    const byte = bytes.at(-count) ?? 0
    if (byte >= 0xc0) return count < lengthOfCharacter(byte) ? count : 0
    if (byte < 0x80) return 0
  }
  return 0
}

function lengthOfCharacter(first: number): number {
  if (first >= 0xf0) return 4
  return first >= 0xe0 ? 3 : 2
}

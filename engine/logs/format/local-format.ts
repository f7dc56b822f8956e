import type { EntryFormat, LogEntry } from './entry-format.ts'
import type { LineRun } from './line-run.ts'
import { type LogStream, NEWLINE } from './log-line.ts'

/*
 * The format of `local` is tsbuild's own: docker says of its format that nothing else may read it. An entry is the
 * letter of its stream (a capital for a piece without a newline), the time in nanoseconds with 36 digits, a space, the
 * bytes as they were printed, and two bytes that end it. All bytes are kept, and an entry takes 15 bytes more than what
 * it says, where json-file takes 80.
 */

const END = '\x1e'
const END_BYTE = 0x1e
const SPACE = 0x20
const LETTERS: Readonly<Record<string, { readonly stream: LogStream; readonly isPiece: boolean }>> =
  {
    o: { stream: 'stdout', isPiece: false },
    O: { stream: 'stdout', isPiece: true },
    e: { stream: 'stderr', isPiece: false },
    E: { stream: 'stderr', isPiece: true },
  }

export const LOCAL_FORMAT: EntryFormat = {
  encode,
  decode,
  // Not what ends an entry, so that a part of one is never taken for all of it.
  repair: Buffer.from('\0\n'),
}

function encode({ stream, time, bytes }: LineRun): Buffer {
  const isPiece = bytes.at(-1) !== NEWLINE
  const letter = stream === 'stdout' ? 'o' : 'e'
  const start = `${isPiece ? letter.toUpperCase() : letter}${time.toString(36)} `
  const text = bytes.toString('latin1', 0, isPiece ? bytes.length : bytes.length - 1)
  const body = isPiece ? text : text.split('\n').join(`${END}\n${start}`)
  return Buffer.from(`${start}${body}${END}\n`, 'latin1')
}

function decode(entry: Buffer): LogEntry | undefined {
  const space = entry.indexOf(SPACE)
  const [, letter = '', digits = ''] =
    HEAD.exec(entry.toString('latin1', 0, Math.max(0, space))) ?? []
  const kind = LETTERS[letter]
  if (kind === undefined || entry.at(-1) !== END_BYTE) return undefined
  const data = Buffer.from(entry.subarray(space + 1))
  // The byte that ends the entry gives its place to the line's newline.
  data[data.length - 1] = NEWLINE
  const { stream, isPiece } = kind
  return { stream, time: parseDigits(digits), data: isPiece ? data.subarray(0, -1) : data }
}

const HEAD = /^([oOeE])([0-9a-z]{1,13})$/
/** As many digits as a number can have that is exact. */
const HALF = 7
const OF_HALF = 36n ** BigInt(HALF)

function parseDigits(digits: string): bigint {
  const high = Number.parseInt(digits.slice(0, -HALF) || '0', 36)
  return BigInt(high) * OF_HALF + BigInt(Number.parseInt(digits.slice(-HALF), 36))
}

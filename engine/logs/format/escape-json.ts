import { isAscii, isUtf8 } from 'node:buffer'

/*
 * Strings of JSON as Go writes them, from bytes. What a container prints decides how long that takes, and all others
 * wait for it: so it goes through the bytes once or twice, whatever they are.
 * Spec: moby daemon/logger/jsonfilelog/jsonlog/jsonlogbytes.go
 */

/** In no text of UTF-8: stands for bytes that are none. */
const NO_TEXT = 0xff

/** What bytes are written as, where they are not written as they are. A newline is left to the caller. */
const ESCAPES: readonly (Buffer | undefined)[] = Array.from({ length: 256 }, (_, byte) => {
  const text = String.fromCharCode(byte)
  if (text === '"' || text === '\\') return Buffer.from(`\\${text}`)
  if (text === '\r') return Buffer.from('\\r')
  if (byte === NO_TEXT) return Buffer.from('\\ufffd')
  if (text === '\n' || (byte >= 0x20 && !'<>&'.includes(text))) return undefined
  return Buffer.from(`\\u${byte.toString(16).padStart(4, '0')}`)
})
const SPECIAL: readonly string[] = ESCAPES.flatMap((written, byte) =>
  written === undefined || byte === NO_TEXT ? [] : [String.fromCharCode(byte)],
)

/** Whether bytes are what they are written as, newlines aside. */
export function needsNoEscape(bytes: Buffer): boolean {
  if (!isAscii(bytes)) return false
  const text = bytes.toString('latin1')
  // Quicker than one regular expression, by far.
  return !SPECIAL.some((character) => text.includes(character))
}

/** Bytes with all escaped that has to be, and each newline replaced. */
export function escapeBytes(bytes: Buffer, newline: Buffer): Buffer {
  const text = isUtf8(bytes) ? bytes : withMarks(bytes)
  const escaped = Buffer.allocUnsafeSlow(escapedLength(text, newline.length))
  let to = 0
  for (let from = 0; from < text.length; from++) {
    const byte = text[from] ?? 0
    const written = byte === 0x0a ? newline : ESCAPES[byte]
    if (written !== undefined) {
      escaped.set(written, to)
      to += written.length
    } else if (byte === 0xe2 && isSeparator(text, from)) {
      to += escaped.write(`\\u202${text[from + 2] === 0xa8 ? 8 : 9}`, to, 'latin1')
      from += 2
    } else escaped[to++] = byte
  }
  return escaped
}

const LENGTHS = Uint16Array.from(ESCAPES, (written) => written?.length ?? 1)

function escapedLength(text: Buffer, newline: number): number {
  let length = 0
  for (let from = 0; from < text.length; from++) {
    const byte = text[from] ?? 0
    if (byte === 0x0a) length += newline
    else if (byte === 0xe2 && isSeparator(text, from)) {
      length += SEPARATOR_LENGTH
      from += 2
    } else length += LENGTHS[byte] ?? 1
  }
  return length
}

const SEPARATOR_LENGTH = '\\u2028'.length

/** U+2028 and U+2029, which are text in JSON, and not in JavaScript as it was. */
function isSeparator(text: Buffer, at: number): boolean {
  return text[at + 1] === 0x80 && ((text[at + 2] ?? 0) & 0xfe) === 0xa8
}

/** A copy with a mark in place of each byte that is not part of a character, as Go reads them. */
function withMarks(bytes: Buffer): Buffer {
  const marked = Buffer.from(bytes)
  for (let at = 0; at < bytes.length; ) {
    const length = lengthOfCharacter(bytes, at)
    if (length === 0) marked[at] = NO_TEXT
    at += length || 1
  }
  return marked
}

/** How many bytes the character at a place has; 0 if it is none. Spec: Unicode 15, table 3-7 */
function lengthOfCharacter(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0
  const second = bytes[at + 1] ?? 0
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  if (first < 0xe0) return isContinuation(second) ? 2 : 0
  const [least, most] = SECOND_BYTES.get(first) ?? [0x80, 0xbf]
  if (second < least || second > most || !isContinuation(bytes[at + 2])) return 0
  if (first < 0xf0) return 3
  return isContinuation(bytes[at + 3]) ? 4 : 0
}

/** Second bytes after those first bytes that do not allow all. */
const SECOND_BYTES: ReadonlyMap<number, readonly [least: number, most: number]> = new Map([
  [0xe0, [0xa0, 0xbf]],
  [0xed, [0x80, 0x9f]],
  [0xf0, [0x90, 0xbf]],
  [0xf4, [0x80, 0x8f]],
])

function isContinuation(byte = 0): boolean {
  return byte >= 0x80 && byte <= 0xbf
}

/**
 * Text for a terminal. What steps print, and what stands in Dockerfiles and registry answers, is
 * written by strangers: it must not move the cursor, set a title or reorder what is read.
 */

/** Escape sequences (CSI, strings such as OSC, two-byte ones) in their 7-bit and 8-bit forms. */
const ESCAPES = new RegExp(
  [
    '(?:\\x1b\\[|\\x9b)[0-?]*[ -/]*[@-~]?',
    '(?:\\x1b[\\]PX^_]|[\\x90\\x98\\x9d-\\x9f])[^\\x07\\x1b\\x9c\\n]*(?:\\x07|\\x1b\\\\|\\x9c)?',
    '\\x1b[ -/]*[0-~]?',
  ].join('|'),
  'g',
)

const CONTROLS = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/gu
const PLAIN = /^[ -~]*$/

/** One line: escape sequences dropped, tabs expanded, any other control character made U+FFFD. */
export function cleanLine(text: string): string {
  if (PLAIN.test(text)) return text
  return expandTabs(text.replaceAll(/\r?\n/g, ' ').replace(ESCAPES, '')).replace(CONTROLS, '\uFFFD')
}

const UNSHOWABLE =
  /\r(?!\n)|[^\P{Cc}\n\t\r]|[\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/gu

/** Any number of lines as they are, but every control character in them made U+FFFD. */
export function cleanText(text: string): string {
  return text.replace(UNSHOWABLE, '\uFFFD')
}

function expandTabs(text: string): string {
  if (!text.includes('\t')) return text
  const [first = '', ...rest] = text.split('\t')
  return rest.reduce((line, part) => line + ' '.repeat(8 - (line.length % 8)) + part, first)
}

/** `1 step`, `2 steps` */
export function formatCount(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`
}

/** `1.2s` from milliseconds. */
export function formatSeconds(milliseconds: number): string {
  return `${(Math.max(0, milliseconds) / 1000).toFixed(1)}s`
}

const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB']

/** `512B`, `1.05MB`: powers of 1000, two decimals. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes}B`
  let value = bytes / 1000
  let unit = 0
  while (value >= 999.995 && unit < UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value.toFixed(2)}${UNITS[unit] ?? ''}`
}

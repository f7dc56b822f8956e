// Code in which every character is ASCII: Node reads such a file several times as fast as UTF-8.

const ESCAPE_GROWTH = '\\u0000'.length - 1
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/**
 * Writes other characters, which stand only in texts and regular expressions, as escapes.
 * @param {string} code
 * @param {{ mappings: string } | null} map of the code, which is brought up to date
 */
export function toAscii(code, map) {
  if (map !== null) map.mappings = shiftMappings(code, map.mappings)
  return code.replace(/[^\0-\x7f]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

function shiftMappings(code, mappings) {
  const lines = code.split('\n')
  const mapped = mappings.split(';')
  return mapped.map((line, index) => shift(line, columnsOfOthers(lines[index]))).join(';')
}

function columnsOfOthers(line) {
  return Array.from(line.matchAll(/[^\0-\x7f]/g), ({ index }) => index)
}

/** A line of mappings, each with its column as the difference to the one before. */
function shift(line, columns) {
  let column = 0
  let passed = 0
  return line
    .split(',')
    .map((segment) => {
      if (segment === '') return segment
      const { value, length } = decode(segment)
      column += value
      let growth = 0
      for (; columns[passed] < column; passed++) growth += ESCAPE_GROWTH
      return encode(value + growth) + segment.slice(length)
    })
    .join(',')
}

/** The first number of a segment: digits of five bits, the lowest first; the lowest bit is the sign. */
function decode(segment) {
  let bits = 0
  for (let length = 1; ; length++) {
    const digit = DIGITS.indexOf(segment[length - 1])
    bits |= (digit & 31) << (5 * (length - 1))
    if (digit < 32) return { value: bits & 1 ? -(bits >> 1) : bits >> 1, length }
  }
}

function encode(value) {
  let bits = value < 0 ? (-value << 1) | 1 : value << 1
  let text = ''
  do {
    const digit = bits & 31
    bits >>>= 5
    text += DIGITS[bits > 0 ? digit | 32 : digit]
  } while (bits > 0)
  return text
}

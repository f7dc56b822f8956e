// The mappings of source maps as numbers. Node reads no map that consists of sections.

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/**
 * Lines of mappings: the column, and then the source, its line, its column and a name, where there are.
 * Spec: ECMA-426, 9.2
 * @param {string} text
 * @returns {number[][][]}
 */
export function decodeMappings(text) {
  const last = [0, 0, 0, 0, 0]
  return text.split(';').map((line) => {
    last[0] = 0
    return line
      .split(',')
      .filter((segment) => segment !== '')
      .map((segment) => {
        return decodeNumbers(segment).map((difference, index) => {
          last[index] += difference
          return last[index]
        })
      })
  })
}

/**
 * @param {readonly (readonly (readonly number[])[])[]} lines
 * @returns {string}
 */
export function encodeMappings(lines) {
  const last = [0, 0, 0, 0, 0]
  return lines
    .map((mappings) => {
      last[0] = 0
      return mappings
        .map((numbers) => {
          const segment = numbers
            .map((number, index) => encodeNumber(number - last[index]))
            .join('')
          numbers.forEach((number, index) => {
            last[index] = number
          })
          return segment
        })
        .join(',')
    })
    .join(';')
}

/** Digits of five bits, the lowest first; the lowest bit of all is the sign. */
function decodeNumbers(segment) {
  const numbers = []
  let bits = 0
  let shift = 0
  for (const character of segment) {
    const digit = DIGITS.indexOf(character)
    bits |= (digit & 31) << shift
    shift += 5
    if (digit >= 32) continue
    numbers.push(bits & 1 ? -(bits >> 1) : bits >> 1)
    bits = 0
    shift = 0
  }
  return numbers
}

function encodeNumber(number) {
  let bits = number < 0 ? (-number << 1) | 1 : number << 1
  let text = ''
  do {
    const digit = bits & 31
    bits >>>= 5
    text += DIGITS[bits > 0 ? digit | 32 : digit]
  } while (bits > 0)
  return text
}

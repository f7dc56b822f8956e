const UNITS = 'kmgtp'
const SIZE = /^(\d+(?:\.\d+)?) ?([kmgtp])?i?b?$/i

/** Bytes of `512`, `64m`, `1.5GiB`, …; units are powers of 1024. `undefined` for any other text. */
export function parseByteSize(text: string): number | undefined {
  const [, number, unit] = SIZE.exec(text) ?? []
  if (number === undefined) return undefined
  const power = unit === undefined ? 0 : UNITS.indexOf(unit.toLowerCase()) + 1
  const bytes = Math.floor(Number(number) * 1024 ** power)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

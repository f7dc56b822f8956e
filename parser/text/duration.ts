const NANOSECONDS: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3],
  ['μs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
])

const MAX_NANOSECONDS = 2 ** 63

/**
 * A duration in Go's form (`1m30s`, `1.5h`, `-2ms`) in nanoseconds, or what Go finds wrong with it.
 * Spec: Go time.ParseDuration
 */
export function parseDuration(text: string): number | { readonly mistake: string } {
  const quoted = JSON.stringify(text)
  const invalid = { mistake: `time: invalid duration ${quoted}` }
  const sign = text.startsWith('-') ? -1 : 1
  const digits = /^[+-]/.test(text) ? text.slice(1) : text
  if (digits === '0') return 0
  if (digits === '') return invalid
  let total = 0
  let offset = 0
  while (offset < digits.length) {
    const part = matchAt(/(?:\d+\.?\d*|\.\d+)/y, digits, offset)
    if (part === '') return invalid
    offset += part.length
    const name = matchAt(/[^\d.]*/y, digits, offset)
    if (name === '') return { mistake: `time: missing unit in duration ${quoted}` }
    const unit = NANOSECONDS.get(name)
    if (unit === undefined) {
      return { mistake: `time: unknown unit ${JSON.stringify(name)} in duration ${quoted}` }
    }
    offset += name.length
    total += Number(part) * unit
    if (total >= MAX_NANOSECONDS) return invalid
  }
  return sign * Math.trunc(total)
}

/** What a sticky pattern finds at `offset`, or nothing. */
function matchAt(pattern: RegExp, text: string, offset: number): string {
  pattern.lastIndex = offset
  return pattern.exec(text)?.[0] ?? ''
}

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
 * A duration in Go's form (`1m30s`, `1.5h`, `-2ms`) in nanoseconds, `undefined` when malformed or
 * out of range. Spec: Go time.ParseDuration
 */
export function parseDuration(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1
  let rest = /^[+-]/.test(text) ? text.slice(1) : text
  if (rest === '0') return 0
  if (rest === '' || text.length > 100) return undefined
  let total = 0
  while (rest !== '') {
    const part = /^(\d+\.?\d*|\.\d+)([^\d.]+)/.exec(rest)
    const unit = NANOSECONDS.get(part?.[2] ?? '')
    if (part === null || unit === undefined) return undefined
    total += Number(part[1]) * unit
    rest = rest.slice(part[0].length)
  }
  return total < MAX_NANOSECONDS ? sign * Math.trunc(total) : undefined
}

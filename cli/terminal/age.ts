import { formatCount } from './text.ts'

const AGES: readonly (readonly [string, number])[] = [
  ['year', 365 * 24 * 3600],
  ['month', 30 * 24 * 3600],
  ['week', 7 * 24 * 3600],
  ['day', 24 * 3600],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

/** `3 hours ago`; both in milliseconds since the epoch. */
export function formatAge(then: number, now: number): string {
  const seconds = Math.max(0, (now - then) / 1000)
  for (const [unit, length] of AGES) {
    const count = Math.floor(seconds / length)
    if (count >= 1) return `${formatCount(count, unit)} ago`
  }
  return 'just now'
}

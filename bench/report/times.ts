/** Milliseconds as `12.3` or `1,234`. */
export function plain(value: number): string {
  const digits = value < 100 ? 1 : 0
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

/** `12.3 ms`, `1,234 ms`. */
export function milliseconds(value: number): string {
  return `${plain(value)} ms`
}

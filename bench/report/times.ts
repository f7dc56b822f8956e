/** `12.3 ms`, `1,234 ms`. */
export function milliseconds(value: number): string {
  const digits = value < 100 ? 1 : 0
  return `${value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ms`
}

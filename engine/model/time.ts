/** Now, in RFC 3339 with nanoseconds; two calls never give the same time. */
export function now(): string {
  return formatTime(instant())
}

let last = 0n

/** Nanoseconds since the epoch, as the machine's clock has them, and later than those of the last call unless it was put back. */
export function instant(): bigint {
  const found = BigInt(Date.now()) * 1_000_000n
  const isSameMoment = found <= last && last - found < 1_000_000_000n
  last = isSameMoment ? last + 1n : found
  return last
}

/** @param time nanoseconds since the epoch */
export function formatTime(time: bigint): string {
  const seconds = new Date(Number(time / 1_000_000n)).toISOString().slice(0, 19)
  const fraction = `${time % 1_000_000_000n}`.padStart(9, '0').replace(/0+$/, '')
  return fraction === '' ? `${seconds}Z` : `${seconds}.${fraction}Z`
}

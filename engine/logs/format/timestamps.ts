const PER_MILLISECOND = 1_000_000n
const PER_SECOND = 1_000_000_000n
/** Milliseconds by which the clock may be off before it is set again. */
const MOST_DRIFT = 2

/** A clock of nanoseconds since the epoch, as fine as the machine's and as right as its time of day. */
export class NanosecondClock {
  #offset = 0n

  now(): bigint {
    const ticks = process.hrtime.bigint()
    const rough = Date.now()
    const drift = Number((ticks + this.#offset) / PER_MILLISECOND) - rough
    if (Math.abs(drift) > MOST_DRIFT) this.#offset = BigInt(rough) * PER_MILLISECOND - ticks
    return ticks + this.#offset
  }
}

/** Nanoseconds since the epoch as Go writes them: RFC 3339 in UTC, without zeros at the end. */
export function formatTime(time: bigint): string {
  const seconds = new Date(Number(time / PER_MILLISECOND)).toISOString().slice(0, 19)
  const fraction = String(time % PER_SECOND)
    .padStart(9, '0')
    .replace(/0+$/, '')
  return fraction === '' ? `${seconds}Z` : `${seconds}.${fraction}Z`
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/

/** The inverse, for every time of RFC 3339; `undefined` for other texts. */
export function parseTime(text: string): bigint | undefined {
  const [, seconds, fraction = '', zone] = TIME.exec(text) ?? []
  const milliseconds = Date.parse(`${seconds}${zone}`)
  if (Number.isNaN(milliseconds)) return undefined
  return BigInt(milliseconds) * PER_MILLISECOND + BigInt(fraction.padEnd(9, '0'))
}

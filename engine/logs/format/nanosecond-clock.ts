const PER_MILLISECOND = 1_000_000n
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

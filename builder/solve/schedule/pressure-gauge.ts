import type { PressureSource, PressureTotals } from './pressure-source.ts'

/** Of the time that was measured, the parts in which something waited: 0 to 1. */
export interface Pressure {
  readonly cpu: number
  readonly memory: number
}

/** Half of the processors have more to do than they can: three that compute on two of them. */
export const HIGH_CPU = 0.5

/** A tenth of the time something waits for memory that was paged out, or for a page to be freed. */
export const HIGH_MEMORY = 0.1

/** Milliseconds that a measurement is about at most. */
const WINDOW = 250

interface Sample extends PressureTotals {
  /** By `performance.now()`. */
  readonly time: number
}

/**
 * Measures how much the machine has to do beyond what it can. The kernel's own averages are about ten
 * seconds and more; here it is the difference of its totals within the last 250 ms.
 */
export class PressureGauge {
  readonly #open: () => PressureSource
  readonly #now: () => number
  readonly #samples: Sample[] = []
  #source: PressureSource | undefined

  /** @param open is called when something is measured for the first time. @param now milliseconds */
  constructor(open: () => PressureSource, now: () => number = () => performance.now()) {
    this.#open = open
    this.#now = now
  }

  /** What is measured from now on is about the time from now on. */
  restart(): void {
    this.#samples.length = 0
    this.#samples.push(this.#sample())
  }

  /**
   * The pressure since the last call of `restart`, at most in the last 250 ms.
   * @param least `undefined` when fewer milliseconds have passed since then
   */
  measure(least: number): Pressure | undefined {
    const last = this.#sample()
    this.#samples.push(last)
    while ((this.#samples[1]?.time ?? last.time) <= last.time - WINDOW) this.#samples.shift()
    const [first = last] = this.#samples
    const elapsed = last.time - first.time
    if (elapsed < least) return undefined
    const share = (kind: keyof PressureTotals): number =>
      Math.max(0, ...last[kind].map((total, index) => total - (first[kind][index] ?? total))) /
      (elapsed * 1000)
    return { cpu: share('cpu'), memory: share('memory') }
  }

  #sample(): Sample {
    this.#source ??= this.#open()
    return { time: this.#now(), ...this.#source() }
  }
}

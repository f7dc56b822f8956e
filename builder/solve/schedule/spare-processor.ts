/**
 * Work beside steps takes a processor that these leave idle, and no other one. How many a step computes on
 * is not known before, so such work goes on while the machine is seen to have room for it, else slowly.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { HIGH_CPU, HIGH_MEMORY } from './pressure-gauge.ts'
import { ownProcessors, type Processors } from './processors.ts'
import type { Schedule } from './schedule.ts'

/** Milliseconds of work that a look at the pressure is about. */
const LOOK = 50

/** Milliseconds that work rests for when there is pressure: first, and at most. */
const REST = 250
const LONGEST_REST = 4000

/** A processor that the steps of a build leave to work which can wait. */
export class SpareProcessor {
  readonly #processors: number
  readonly #gauge: Processors['gauge']
  #steps = 0
  #changed = Promise.withResolvers<void>()
  #lookedAt = 0
  #rest = REST

  constructor({ processors, gauge }: Processors) {
    this.#processors = processors
    this.#gauge = gauge
  }

  /** The same schedule, for the steps that are to be watched. */
  watching(schedule: Schedule): Schedule {
    return (work) =>
      schedule(async (begun) => {
        this.#count(1)
        try {
          return await work(begun)
        } finally {
          this.#count(-1)
        }
      })
  }

  /** Resolves while steps are under way, and fewer than there are processors. */
  async found(): Promise<void> {
    while (this.#steps === 0 || this.#isTaken()) await this.#changed.promise
    this.#look()
  }

  /**
   * What work has to wait for before its next piece, which takes some milliseconds; `undefined` when it may
   * go on. Between two steps it may.
   */
  wait(): Promise<void> | undefined {
    if (this.#isTaken()) return this.#left()
    if (this.#steps === 0 || performance.now() - this.#lookedAt < LOOK) return undefined
    const pressure = this.#gauge.measure(LOOK)
    const isHigh =
      pressure !== undefined && (pressure.cpu >= HIGH_CPU || pressure.memory >= HIGH_MEMORY)
    if (isHigh) return this.#restFor()
    this.#lookedAt = performance.now()
    this.#rest = REST
    return undefined
  }

  #isTaken(): boolean {
    return this.#steps >= this.#processors
  }

  async #left(): Promise<void> {
    while (this.#isTaken()) await this.#changed.promise
    this.#look()
  }

  async #restFor(): Promise<void> {
    const rest = this.#rest
    this.#rest = Math.min(2 * rest, LONGEST_REST)
    // What keeps the process running is the steps.
    await delay(rest, undefined, { ref: false })
    this.#look()
  }

  /** Measures from now on: what was before is not about this work. */
  #look(): void {
    this.#lookedAt = performance.now()
    this.#gauge.restart()
  }

  #count(change: number): void {
    this.#steps += change
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

/** That of this machine. */
export function spareProcessor(): SpareProcessor {
  return new SpareProcessor(ownProcessors())
}

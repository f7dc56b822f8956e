/**
 * How many steps are under way at a time. What a step needs is not known before it runs: it may compute,
 * or wait for a network or a clock. So as many steps as there are processors may always run, and more
 * are let in a few at a time, as long as the machine is seen to have room for those before.
 */
import { Places } from './places.ts'
import { HIGH_CPU, HIGH_MEMORY, type Pressure } from './pressure-gauge.ts'
import { ownProcessors, type Processors } from './processors.ts'
import { type Schedule, scheduler } from './schedule.ts'

/** Steps at a time, whatever room there is: each has processes, a network and descriptors. */
const MOST = 64

/** Milliseconds between looks at the pressure, and the shortest time that one is about. */
const LOOK = 50

/** Milliseconds in which steps should have begun. */
const PATIENCE = 250

/** Milliseconds for which it is remembered how much room there was. */
const MEMORY = 1000

/**
 * Schedules the steps of a build.
 * @param jobs how many may be under way; absent: as many as the machine has room for
 */
export function stepSchedule(jobs: number | undefined): Schedule {
  if (jobs !== undefined) return scheduler(jobs)
  return roomSchedule(ownProcessors())
}

/**
 * Schedules as the pressure allows. One step always runs.
 * @internal
 */
export function roomSchedule(options: Processors): Schedule {
  const room = new Room(options)
  return (work) => room.use(work)
}

class Room {
  readonly #processors: number
  readonly #gauge: Processors['gauge']
  readonly #places: Places
  /** Up to this number, the load of steps is part of what was measured. */
  #settled = 0
  /** Steps beyond it that have not begun. */
  #fresh = 0
  /** There was pressure: from now on steps are let in one by one. */
  #isCrowded = false
  #timer: NodeJS.Timeout | undefined
  #stoppedAt = 0

  constructor({ processors, gauge }: Processors) {
    this.#processors = processors
    this.#gauge = gauge
    this.#places = new Places(processors)
  }

  async use<T>(work: (begun: () => void) => Promise<T>): Promise<T> {
    if (this.#timer === undefined && performance.now() - this.#stoppedAt > MEMORY) this.#forget()
    const used = this.#places.use(async () => {
      const begun = this.#enter()
      try {
        return await work(begun)
      } finally {
        begun()
      }
    })
    if (this.#isAtLimit()) this.#start()
    return await used
  }

  /** @returns what to call when the step has begun; more calls do nothing */
  #enter(): () => void {
    if (this.#places.taken <= this.#settled) return () => undefined
    let isFresh = true
    this.#fresh += 1
    return () => {
      if (!isFresh) return
      isFresh = false
      this.#fresh -= 1
      if (this.#fresh === 0) this.#settle()
    }
  }

  /** What was measured before is not about the steps that have begun meanwhile. */
  #settle(): void {
    this.#settled = this.#places.count
    if (this.#timer !== undefined) this.#gauge.restart()
  }

  #forget(): void {
    this.#places.count = this.#processors
    this.#settled = 0
    this.#isCrowded = false
  }

  /** Otherwise the pressure changes nothing. */
  #isAtLimit(): boolean {
    const { taken, waiting } = this.#places
    return waiting > 0 || taken > this.#processors
  }

  #start(): void {
    if (this.#timer !== undefined) return
    this.#gauge.restart()
    // What keeps the process running is the steps.
    this.#timer = setInterval(() => this.#look(), LOOK).unref()
  }

  #look(): void {
    if (!this.#isAtLimit()) {
      clearInterval(this.#timer)
      this.#timer = undefined
      this.#stoppedAt = performance.now()
      return
    }
    const pressure = this.#gauge.measure(this.#fresh === 0 ? LOOK : PATIENCE)
    if (pressure !== undefined) this.#follow(pressure)
  }

  #follow({ cpu, memory }: Pressure): void {
    const { taken, waiting, count } = this.#places
    if (memory >= HIGH_MEMORY || cpu >= HIGH_CPU) {
      this.#isCrowded = true
      this.#places.count = memory >= HIGH_MEMORY ? 1 : this.#processors
      this.#settled = Math.min(this.#settled, this.#places.count)
    } else if (waiting > 0 && taken >= count) {
      this.#gauge.restart()
      this.#places.count = Math.min(MOST, taken + (this.#isCrowded ? 1 : Math.min(taken, waiting)))
    }
  }
}

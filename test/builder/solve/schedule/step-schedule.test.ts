import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { scheduler, stepSchedule } from '#builder/solve'
import { type Pressure, PressureGauge } from '../../../../builder/solve/schedule/pressure-gauge.ts'
import type { Schedule } from '../../../../builder/solve/schedule/schedule.ts'
import { roomSchedule } from '../../../../builder/solve/schedule/step-schedule.ts'
import { until } from '../../../support/peers/index.ts'

const PROCESSORS = 2
const NONE: Pressure = { cpu: 0, memory: 0 }

/** Steps that run until they are ended. */
class Steps {
  readonly started: number[] = []
  peak = 0
  readonly #running = new Map<number, () => void>()
  readonly #ends: Promise<void>[] = []

  get running(): number {
    return this.#running.size
  }

  add(schedule: Schedule, count: number, begins: 'begin' | 'prepare' = 'begin'): void {
    for (let added = 0; added < count; added++) {
      const id = this.#ends.length
      const end = schedule(async (begun) => {
        this.started.push(id)
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#running.set(id, resolve)
        this.peak = Math.max(this.peak, this.running)
        if (begins === 'begin') begun()
        await promise
      })
      this.#ends.push(end)
    }
  }

  /** Ends the one that has run for the longest time. */
  async endOne(): Promise<void> {
    const [first] = this.#running
    assert.ok(first)
    const [id, end] = first
    this.#running.delete(id)
    end()
    await this.#ends[id]
    await pause(0)
  }

  async until(running: number): Promise<void> {
    await until(() => this.running === running, 5000)
  }

  /** Ends all, one by one, however long they have to wait. */
  async endAll(): Promise<void> {
    for (let left = this.#ends.length - this.started.length + this.running; left > 0; left--) {
      await until(() => this.running > 0, 5000)
      await this.endOne()
    }
    await Promise.all(this.#ends)
  }
}

/** A schedule on a machine whose pressure the test decides. */
function pressed(pressure: (least: number) => Pressure | undefined): Schedule {
  const gauge = { restart: () => undefined, measure: pressure }
  return roomSchedule({ processors: PROCESSORS, gauge })
}

describe('the schedule of steps', () => {
  let steps: Steps
  beforeEach(() => {
    steps = new Steps()
  })
  afterEach(() => steps.endAll())

  it('lets in all that wait for something else than the machine, in their order', async () => {
    steps.add(
      pressed(() => NONE),
      20,
    )
    await steps.until(20)
    assert.deepEqual(
      steps.started,
      Array.from({ length: 20 }, (_, id) => id),
    )
  })

  it('has a limit whatever room there is', async () => {
    steps.add(
      pressed(() => NONE),
      70,
    )
    await steps.until(64)
    await pause(200)
    assert.equal(steps.running, 64)
    await steps.endOne()
    await steps.until(64)
  })

  it('lets in as many as there are processors while these are busy', async () => {
    steps.add(
      pressed(() => ({ cpu: 1, memory: 0 })),
      16,
    )
    for (let ended = 0; ended < 5; ended++) {
      await pause(60)
      assert.equal(steps.running, PROCESSORS)
      await steps.endOne()
    }
    await steps.endAll()
    assert.equal(steps.peak, PROCESSORS)
  })

  it('lets in few more that compute, and goes on as they end', async () => {
    const busy = (): Pressure => ({ cpu: Math.max(0, steps.running / PROCESSORS - 1), memory: 0 })
    const schedule = pressed(busy)
    steps.add(schedule, 16)
    await pause(300)
    while (steps.started.length < 16) {
      await pause(60)
      assert.ok(steps.running >= PROCESSORS)
      await steps.endOne()
    }
    await steps.endAll()
    assert.ok(steps.peak <= 2 * PROCESSORS, `${steps.peak}`)
  })

  it('lets one step run when memory is short', async () => {
    let pressure = NONE
    const schedule = pressed(() => pressure)
    steps.add(schedule, 12)
    await steps.until(12)
    pressure = { cpu: 0, memory: 1 }
    steps.add(schedule, 4)
    await pause(120)
    for (let left = 11; left >= 1; left--) {
      await steps.endOne()
      assert.equal(steps.running, left)
    }
    // The last one makes room for another one, and no more.
    for (let one = 0; one < 3; one++) {
      await steps.endOne()
      await pause(60)
      assert.equal(steps.running, 1)
    }
  })

  it('lets in more when the pressure is gone', async () => {
    let pressure: Pressure = { cpu: 0, memory: 1 }
    steps.add(
      pressed(() => pressure),
      8,
    )
    await pause(150)
    assert.equal(steps.running, PROCESSORS)
    pressure = NONE
    await steps.until(8)
  })

  it('waits until those that it has let in have begun, but not for long', async () => {
    const gauge = new PressureGauge(() => () => ({ cpu: [0], memory: [0] }))
    const schedule = roomSchedule({ processors: PROCESSORS, gauge })
    const started = performance.now()
    steps.add(schedule, 8, 'prepare')
    await until(() => steps.running > PROCESSORS, 5000)
    const held = performance.now() - started
    assert.ok(held >= 250, `${held}`)
    await steps.until(8)
  })

  it('remembers how much room there was', async () => {
    const schedule = pressed(() => NONE)
    steps.add(schedule, 8)
    await steps.until(8)
    await steps.endOne()
    await steps.endOne()
    steps.add(schedule, 2)
    await pause(0)
    assert.equal(steps.running, 8)
  })

  it('measures nothing for as many steps as there are processors', async () => {
    let looks = 0
    const gauge = {
      restart: () => void looks++,
      measure: () => {
        looks++
        return NONE
      },
    }
    steps.add(roomSchedule({ processors: PROCESSORS, gauge }), PROCESSORS)
    await pause(150)
    assert.deepEqual([steps.running, looks], [PROCESSORS, 0])
  })

  it('does not keep the place of work that fails', async () => {
    for (const schedule of [scheduler(1), pressed(() => ({ cpu: 1, memory: 1 }))]) {
      for (let time = 0; time < 5; time++) {
        const failing = schedule(() => Promise.reject(new RangeError('failed')))
        await assert.rejects(failing, RangeError)
      }
    }
  })

  it('takes a given number as it is', async () => {
    steps.add(stepSchedule(5), 12)
    await pause(150)
    assert.equal(steps.running, 5)
    await steps.endOne()
    assert.deepEqual([steps.running, steps.peak], [5, 5])
  })

  it('finds out by itself what this machine has room for', async () => {
    steps.add(stepSchedule(undefined), 4)
    await until(() => steps.running >= 1, 5000)
  })
})

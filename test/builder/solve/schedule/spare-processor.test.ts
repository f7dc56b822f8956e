import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { scheduler } from '#builder/solve'
import type { Pressure } from '../../../../builder/solve/schedule/pressure-gauge.ts'
import { SpareProcessor } from '../../../../builder/solve/schedule/spare-processor.ts'

const NONE: Pressure = { cpu: 0, memory: 0 }

/** Milliseconds. After so long a look at the pressure is due. */
const WORKED = 60

describe('the spare processor', () => {
  let pressure: Pressure
  let spare: SpareProcessor
  beforeEach(() => {
    pressure = NONE
    const gauge = { restart: () => undefined, measure: () => pressure }
    spare = new SpareProcessor({ processors: 2, gauge })
  })

  /** Begins a step. @returns what ends it */
  function step(): () => Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const ended = spare.watching(scheduler(9))(() => promise)
    return () => {
      resolve()
      return ended
    }
  }

  async function settles(promise: Promise<void> | undefined, within = 20): Promise<boolean> {
    return await Promise.race([promise?.then(() => true) ?? true, pause(within, false)])
  }

  it('is found while a step runs that leaves it', async () => {
    const found = spare.found()
    assert.equal(await settles(found), false)
    const end = step()
    assert.equal(await settles(found), true)
    await end()
    assert.equal(await settles(spare.found()), false)
  })

  it('is not found while steps may take all of them', async () => {
    const [one, two] = [step(), step()]
    const found = spare.found()
    assert.equal(await settles(found), false)
    await one()
    assert.equal(await settles(found), true)
    await two()
  })

  it('is taken from work by another step, and given back', async () => {
    const one = step()
    await spare.found()
    assert.equal(spare.wait(), undefined)
    const two = step()
    await pause(0)
    const wait = spare.wait()
    assert.ok(wait)
    assert.equal(await settles(wait), false)
    await two()
    assert.equal(await settles(wait), true)
    await one()
    assert.equal(spare.wait(), undefined)
  })

  it('has work rest under pressure, longer each time, but not for ever', async () => {
    const end = step()
    await spare.found()
    for (const [high, least] of [
      [{ cpu: 0.5, memory: 0 }, 250],
      [{ cpu: 0, memory: 0.1 }, 500],
    ] as const) {
      pressure = high
      assert.equal(spare.wait(), undefined, 'work has to be seen before it is measured')
      await pause(WORKED)
      const started = performance.now()
      await spare.wait()
      assert.ok(performance.now() - started >= least - 5)
    }
    pressure = { cpu: 0.49, memory: 0.09 }
    await pause(WORKED)
    assert.equal(spare.wait(), undefined)
    pressure = { cpu: 1, memory: 0 }
    await pause(WORKED)
    assert.equal(await settles(spare.wait(), 450), true, 'it has been low again')
    await end()
  })

  it('looks at no pressure where no step runs', async () => {
    const end = step()
    await spare.found()
    await end()
    pressure = { cpu: 1, memory: 1 }
    await pause(WORKED)
    assert.equal(spare.wait(), undefined)
  })

  it('is given back by a step that fails', async () => {
    const failing = spare.watching(scheduler(9))(() => Promise.reject(new Error('failed')))
    await assert.rejects(failing)
    assert.equal(await settles(spare.found()), false)
  })
})

import assert from 'node:assert/strict'
import { PressureGauge } from '../../../../builder/solve/schedule/pressure-gauge.ts'

/** A machine with totals that the test sets, and a clock of its own. */
class Machine {
  time = 0
  cpu = [0]
  memory = [0]
  readonly gauge = new PressureGauge(
    () => () => ({ cpu: [...this.cpu], memory: [...this.memory] }),
    () => this.time,
  )

  /** Lets time pass in which the first group waits for a share of it. */
  pass(milliseconds: number, share = 0): void {
    this.time += milliseconds
    this.cpu[0] = (this.cpu[0] ?? 0) + share * milliseconds * 1000
  }
}

describe('the gauge of pressure', () => {
  let machine: Machine
  beforeEach(() => {
    machine = new Machine()
    machine.pass(1000, 0.7)
    machine.gauge.restart()
  })

  it('measures the part of the time in which something waited', () => {
    machine.pass(100, 0.25)
    machine.memory = [50_000]
    assert.deepEqual(machine.gauge.measure(50), { cpu: 0.25, memory: 0.5 })
  })

  it('says nothing about less time than it is asked for', () => {
    machine.pass(49, 1)
    assert.equal(machine.gauge.measure(50), undefined)
    machine.pass(1, 1)
    assert.deepEqual(machine.gauge.measure(50), { cpu: 1, memory: 0 })
  })

  it('forgets what is older than a quarter of a second', () => {
    for (let look = 0; look < 10; look++) {
      machine.pass(50, 1)
      machine.gauge.measure(50)
    }
    const shares = [1, 2, 3, 4, 5].map(() => {
      machine.pass(50)
      return machine.gauge.measure(50)?.cpu
    })
    assert.deepEqual(shares, [0.8, 0.6, 0.4, 0.2, 0])
  })

  it('forgets what was before a restart', () => {
    machine.pass(200, 1)
    machine.gauge.restart()
    assert.equal(machine.gauge.measure(50), undefined)
    machine.pass(60)
    assert.equal(machine.gauge.measure(50)?.cpu, 0)
  })

  it('measures the group that is worst off', () => {
    machine.cpu = [0, 0]
    machine.gauge.restart()
    machine.time += 100
    machine.cpu = [10_000, 80_000]
    assert.equal(machine.gauge.measure(50)?.cpu, 0.8)
  })
})

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  type PressureTotals,
  pressureSource,
} from '../../../../builder/solve/schedule/pressure-source.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'

const text = (total: number): string =>
  [
    `some avg10=49.10 avg60=39.07 avg300=29.89 total=${total}`,
    `full avg10=0.00 avg60=0.00 avg300=0.00 total=${total + 1}`,
    '',
  ].join('\n')

describe('the source of pressure', () => {
  let directory: TemporaryDirectory
  let time: number
  beforeEach(() => {
    directory = temporaryDirectory('pressure')
    time = 0
  })
  afterEach(() => directory[Symbol.dispose]())

  const put = (path: string, content: string): void => {
    mkdirSync(dirname(directory.file(path)), { recursive: true })
    writeFileSync(directory.file(path), content)
  }

  const read = (): PressureTotals =>
    pressureSource({ processors: 2, root: directory.path, now: () => time })()

  it('is the machine, without control groups of the second version', () => {
    put('proc/pressure/cpu', text(100))
    put('proc/pressure/memory', text(200))
    put('proc/self/cgroup', '1:cpu:/a\n')
    assert.deepEqual(read(), { cpu: [100], memory: [200] })
  })

  it('is the container where that is all that is seen', () => {
    put('proc/pressure/cpu', text(100))
    put('proc/pressure/memory', text(200))
    put('proc/self/cgroup', '0::/\n')
    put('sys/fs/cgroup/cpu.pressure', text(3))
    put('sys/fs/cgroup/memory.pressure', text(4))
    assert.deepEqual(read(), { cpu: [3], memory: [4] })
  })

  it('is both for a group on a machine', () => {
    put('proc/pressure/cpu', text(100))
    put('proc/pressure/memory', text(200))
    put('proc/self/cgroup', '1:cpu:/b\n0::/user.slice/a\n')
    put('sys/fs/cgroup/unified/user.slice/a/cpu.pressure', text(3))
    assert.deepEqual(read(), { cpu: [100, 3], memory: [200] })
  })

  it('reads anew each time', () => {
    put('proc/pressure/cpu', text(100))
    const source = pressureSource({ processors: 2, root: directory.path })
    source()
    put('proc/pressure/cpu', text(175))
    assert.deepEqual(source(), { cpu: [175], memory: [] })
  })

  it('is the load where the kernel does not count', () => {
    put('proc/pressure/cpu', '')
    put('proc/loadavg', '9.01 9.04 9.06 1/80 1234\n')
    const source = pressureSource({ processors: 2, root: directory.path, now: () => time })
    const totalAfter = (milliseconds: number): number | undefined => {
      time += milliseconds
      return source().cpu[0]
    }
    assert.equal(totalAfter(100), 0)
    // Three processes besides this one, for two processors.
    put('proc/loadavg', '0.00 0.00 0.00 4/80 1234\n')
    assert.equal(totalAfter(100), 50_000)
    put('proc/loadavg', '0.00 0.00 0.00 20/80 1234\n')
    assert.equal(totalAfter(100), 150_000)
    put('proc/loadavg', '0.00 0.00 0.00 3/80 1234\n')
    assert.equal(totalAfter(100), 150_000)
  })

  it('is nothing where nothing can be read', () => {
    assert.deepEqual(read(), { cpu: [0], memory: [] })
  })
})

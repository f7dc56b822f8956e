/** That the tests of attacks fail where the event loop is held up, or much memory is taken. */
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { run } from '../../support/peers/index.ts'
import { takeReports, watched } from '../../support/watch/index.ts'
import { LONGEST, lagFault, watchEventLoop } from '../../support/watch/watch.ts'

/** Milliseconds of processor time of this process so far. */
function computed(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Computes for so many milliseconds, without a turn of the event loop. */
function hold(time: number): void {
  const end = computed() + time
  while (computed() < end);
}

async function faultOf(...times: readonly number[]): Promise<string | undefined> {
  const stop = watchEventLoop()
  for (const time of [0, ...times]) {
    hold(time)
    await setTimeout(20)
  }
  return lagFault(stop(), LONGEST)
}

describe('the watch of what is attacked', () => {
  it('finds a hold of a second, and two of a fifth', async () => {
    assert.match((await faultOf(1100)) ?? '', /the longest took \d{3,}, /)
    assert.match((await faultOf(230, 230)) ?? '', /the longest took \d{3}, \d{3}, /)
  })

  it('finds nothing in many short ones, and one that is longer', async () => {
    assert.equal(await faultOf(...Array.from({ length: 20 }, () => 40), 250), undefined)
  })

  it('finds what a program does', async () => {
    const scripts = {
      'setTimeout(() => undefined, 100)': [],
      [`${computed}; ${hold}; setTimeout(() => hold(1100), 50)`]: [/ms$/],
      'const kept = Buffer.alloc(400_000_000, 1)': [/it took \d{3} MiB of memory$/],
    }
    for (const [script, expected] of Object.entries(scripts)) {
      await run(process.execPath, ['-e', script], { env: { NODE_OPTIONS: watched() } })
      const reports = takeReports()
      assert.equal(reports.length, expected.length, script)
      for (const [index, pattern] of expected.entries()) assert.match(reports[index] ?? '', pattern)
    }
  })
})

import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { mountsOf } from '../../support/processes.ts'
import { storeFaults } from '../../support/store-check.ts'
import { mustBuild } from '../../support/tsbuild.ts'
import { type Phase, type RunningBuild, Site } from './site.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const PHASES: readonly Phase[] = ['pull', 'extract', 'run', 'diff', 'push']

/** How often each signal is sent in each phase, and how strict the times are. */
export interface InterruptRounds {
  readonly each: number
  /** One signal for a phase, or all of them. */
  readonly signals: 'one' | 'all'
  /** By how much a machine with other work may be slower than the budgets. */
  readonly slack: number
  readonly files: number
}

/** Milliseconds from a signal until steps have ended, and until the builder has. */
const BUDGET = { steps: 250, exit: 1000 }

/** Interrupts builds in all their phases. */
export function interruptedSuite({ each, signals, slack, files }: InterruptRounds): void {
  let site: Site
  before(async () => {
    site = await Site.open(files)
  })
  after(() => site?.[Symbol.asyncDispose]())

  for (const [index, phase] of PHASES.entries()) {
    const used = signals === 'all' ? SIGNALS : [SIGNALS[index % SIGNALS.length] ?? 'SIGINT']
    it(`stop in ${phase} at ${used.join(', ')}`, async () => {
      const times: number[] = []
      for (let round = 0; round < each; round += 1) {
        for (const signal of used) times.push(await interrupt(phase, signal))
      }
      times.sort((a, b) => a - b)
      const most = times[Math.ceil(times.length * 0.99) - 1] ?? 0
      assert.ok(most <= BUDGET.exit * slack, `${times.map(Math.round).join(' ')} ms`)
    })
  }

  it('end at once at the second signal', async () => {
    await using build = await site.begin('run')
    build.signal('SIGINT')
    build.signal('SIGTERM')
    const [code, signal] = await build.end
    // Either may be the first that the program sees.
    assert.ok(code === null && (signal === 'SIGINT' || signal === 'SIGTERM'), `${code} ${signal}`)
    assert.deepEqual(await build.stepsEnd(BUDGET.exit * slack), [])
    assert.deepEqual(mountsOf(build.root), [])
    await goesOn(build)
  })

  it('end with their terminal', async () => {
    const words = (command: readonly string[]): string =>
      command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
    await using build = await site.begin('run', (command) => {
      return ['script', '--quiet', '--return', '--command', words(command), '/dev/null']
    })
    build.signal('SIGKILL')
    await build.end
    assert.deepEqual(await build.everythingEnds(2 * BUDGET.exit * slack), [])
    assert.deepEqual(mountsOf(build.root), [])
    await goesOn(build)
  })

  it('go on when nobody reads what they say', async () => {
    const root = site.newRoot()
    const unread = 'set -o pipefail; "$@" 2>&1 | head -n 1 > /dev/null'
    const closed = 'exec "$@" >&- 2>&-'
    for (const script of [unread, closed]) {
      const prefix = ['bash', '-c', script, 'bash']
      await mustBuild(['--no-cache', ...site.args('push', 0)], { root, prefix })
      assert.deepEqual(storeFaults(root), [])
    }
    assert.equal(await site.digest(root), site.control)
  })

  /** @returns milliseconds until the builder has ended */
  async function interrupt(phase: Phase, signal: NodeJS.Signals): Promise<number> {
    await using build = await site.begin(phase)
    await delay(site.moment(phase))
    const began = performance.now()
    if (!build.signal(signal)) return 0
    const steps = build.stepsEnd(BUDGET.exit * slack)
    const [code] = await build.end
    const time = performance.now() - began
    // A build that was done a moment before has succeeded.
    const expected = code === 0 ? 0 : 128 + constants.signals[signal]
    assert.equal(code, expected, build.said())
    assert.deepEqual(await steps, [])
    assert.deepEqual(await build.everythingEnds(BUDGET.steps), [])
    assert.deepEqual(mountsOf(build.root), [])
    assert.deepEqual(
      build.groups.filter((group) => existsSync(group)),
      [],
    )
    assert.deepEqual(temporaryFiles(build.root), [])
    await goesOn(build)
    return time
  }

  async function goesOn({ root }: RunningBuild): Promise<void> {
    assert.deepEqual(storeFaults(root), [])
    assert.equal(await site.digest(root), site.control)
    rmSync(root, { recursive: true })
  }
}

/** What a builder that has ended properly leaves of its own: nothing. */
function temporaryFiles(root: string): readonly string[] {
  const directory = join(root, 'tmp')
  return existsSync(directory) ? readdirSync(directory) : []
}

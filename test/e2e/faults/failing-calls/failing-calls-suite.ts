import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FailingCall } from '../../../support/failing-call/index.ts'
import {
  capture,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../../support/peers/index.ts'
import type { Injected } from './injection.ts'
import { SITUATIONS } from './situations.ts'

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url))

/** How many calls fail. */
export interface FailingCallsOptions {
  /** Of each situation; 0: all of them. */
  readonly most: number
  /** Processes that share the situations. */
  readonly parts: number
  /** Milliseconds. */
  readonly timeoutMs: number
}

/** One line of the child. */
interface Line extends Injected {
  readonly situation: string
  readonly failing: FailingCall
}

/** Lets calls fail that write to the disk, each in a build, a push, a prune of its own. */
export function failingCallsSuite({ most, parts, timeoutMs }: FailingCallsOptions): void {
  let directory: TemporaryDirectory
  before(() => {
    directory = temporaryDirectory('calls')
  })
  after(() => directory[Symbol.dispose]())

  it('ends each command with one clear error, or does without, and no image is lost', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    const seed = Number(process.env.TSBUILD_CALLS_SEED ?? Math.floor(Math.random() * 2 ** 31))
    console.log(`      TSBUILD_CALLS_SEED=${seed}`)
    const run = async (part: number): Promise<readonly Line[]> => {
      const folder = directory.file(`${part}`)
      mkdirSync(folder)
      const numbers = [seed, most, part, parts].map(String)
      const args = ['-m', process.execPath, CHILD, folder, ...numbers]
      const { status, stdout, stderr } = await capture('unshare', args, { timeoutMs })
      assert.equal(status, 0, `${stdout.slice(-2000)}\n${stderr}`)
      return stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Line)
    }
    const lines = (await Promise.all(Array.from({ length: parts }, (_, part) => run(part)))).flat()
    const faulty = lines.filter(({ faults }) => faults.length > 0)
    assert.deepEqual(faulty, [])
    assert.deepEqual(
      [...new Set(lines.map(({ situation }) => situation))].length,
      SITUATIONS.length,
    )
    const failed = lines.filter(({ call, status }) => call !== undefined && status !== 0)
    console.log(`      ${lines.length} calls, ${failed.length} commands that failed`)
    assert.ok(failed.length > lines.length / 4, `${failed.length} of ${lines.length}`)
  })
}

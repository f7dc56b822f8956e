/**
 * Required by mocha: takes what watched programs report, and watches the event loop of tests that attack a builder in
 * their own process. What is attacked must go on with its other work, and hear signals.
 */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lagFault, type Turns, watchEventLoop } from './watch.ts'

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url))
const PROGRAM = new URL('./watch.js', import.meta.url)
/** Where programs report; each has a file. */
const REPORTS = join(tmpdir(), `tsbuild-watch-${process.pid}`)

/** Tests of whole builds and steps. Others call what a build leaves to its threads. */
const OF_A_BUILDER = /^test\/(builder\/build|suites\/sandbox)\//

/** The files and titles of such tests in the tables of threats. */
const ATTACKS: readonly (readonly [string, string])[] = Array.from(
  readFileSync(join(ROOT, 'docs/security.md'), 'utf8').matchAll(/`(test\/[^`]+)`: ([^;|\n]+)/g),
  ([, file = '', title = '']) => [file, title.trim()] as const,
).filter(([file]) => OF_A_BUILDER.test(file))

/** The value of NODE_OPTIONS with which a program is watched. A data URL can be read by every user. */
export function watched(): string {
  mkdirSync(REPORTS, { recursive: true })
  chmodSync(REPORTS, 0o1777)
  const script = `${readFileSync(PROGRAM, 'utf8')}\nreportFaults(${JSON.stringify(REPORTS)})`
  return `--import=data:text/javascript,${encodeURIComponent(script)}`
}

let stop: (() => Turns) | undefined

export const mochaHooks: Mocha.RootHookObject = {
  beforeEach(this: Mocha.Context) {
    if (isAttack(this.currentTest)) stop = watchEventLoop()
  },
  afterEach() {
    const fault = stop === undefined ? undefined : lagFault(stop(), Number.POSITIVE_INFINITY)
    stop = undefined
    assert.deepEqual([...(fault === undefined ? [] : [fault]), ...takeReports()], [])
  },
  afterAll: () => rmSync(REPORTS, { recursive: true, force: true }),
}

/** Of a file that is named, all tests are meant; of a suite that files share, those that are named. */
function isAttack(test: Mocha.Test | undefined): boolean {
  const file = relative(`${ROOT}/dist`, test?.file ?? '').replace(/\.js$/, '.ts')
  const title = test?.fullTitle() ?? ''
  return ATTACKS.some(
    ([named, part]) => named === file || (!named.endsWith('.test.ts') && title.includes(part)),
  )
}

/** What programs have reported since it was asked last. */
export function takeReports(): readonly string[] {
  const names = existsSync(REPORTS) ? readdirSync(REPORTS) : []
  return names.map((name) => {
    const path = join(REPORTS, name)
    const report = readFileSync(path, 'utf8')
    rmSync(path)
    return report
  })
}

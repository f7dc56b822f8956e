import assert from 'node:assert/strict'
import {
  Differential,
  type DifferentialCase,
  inThisProcess,
  type StartWay,
  type WitnessName,
} from '../support/differential/index.ts'
import { ensurePackages } from '../support/peers/index.ts'
import { type Difference, unexpected } from './differences.ts'

/** Milliseconds for all cases; another job on the machine must not fail them. */
const PATIENCE = 1_200_000

/** How the cases are built here, and what differs by the nature of that. */
interface TestedWay {
  readonly startWay: StartWay
  readonly differences: readonly Difference[]
}

/** A test for each case. All are built from the start, some at a time. */
export function differentialSuite(
  cases: readonly DifferentialCase[],
  witness: WitnessName = 'docker.io',
  { startWay, differences }: TestedWay = { startWay: async () => inThisProcess(), differences: [] },
): void {
  let both: Differential | undefined
  let results: ReadonlyMap<string, Promise<readonly string[]>>

  before(async function () {
    if (process.getuid?.() !== 0) this.skip()
    this.timeout(PATIENCE)
    await ensurePackages()
    const started = await Differential.start(witness, startWay)
    both = started
    results = new Map(cases.map((one) => [one.name, started.check(one)]))
    // Each is awaited by its test; after a failure the rejections of the others would be unhandled.
    for (const result of results.values()) result.catch(() => undefined)
  })

  after(async function () {
    this.timeout(PATIENCE)
    await both?.[Symbol.asyncDispose]()
  })

  for (const one of cases) {
    it(one.name, async function () {
      this.timeout(PATIENCE)
      const complaints = (await results.get(one.name)) ?? ['not built']
      assert.deepEqual(unexpected(one.name, complaints, differences), [], one.dockerfile)
    })
  }

  it('has compared images for the most part, not refusals', () => {
    assert.ok(both !== undefined && both.built * 2 > cases.length, `${both?.built}`)
  })
}

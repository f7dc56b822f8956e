import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Comparer } from './support/comparer.ts'
import { scenarios } from './support/scenarios.ts'

/** More of them take a while, and are for changes of the code under test. */
const RUNS = Number(process.env.PLACED_RUNS ?? 25)

describe('a placed root and an overlay', () => {
  let comparer: Comparer

  before(function () {
    if (process.getuid?.() !== 0) this.skip()
    comparer = new Comparer()
  })

  after(() => comparer?.close())

  const kinds = [
    ['disk', 'directory'],
    ['memory', 'directory'],
    ['overlay', 'directory'],
    ['disk', 'tar'],
    ['overlay', 'tar'],
  ] as const
  for (const [root, form] of kinds) {
    const layers = form === 'tar' ? 'layers, as tars,' : 'layers'
    it(`give the same ${layers} for any changes, with the root on ${root}`, async () => {
      const property = fc.asyncProperty(scenarios(root, form), async (scenario) => {
        const comparisons = await comparer.compare(scenario)
        assert.equal(comparisons.length, scenario.steps.length * 6)
        for (const { step, what, overlay, placed } of comparisons) {
          assert.deepEqual(placed, overlay, `${what}, step ${step}`)
        }
      })
      await fc.assert(property, { numRuns: RUNS })
    }).timeout(600_000)
  }
})

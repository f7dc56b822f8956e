import assert from 'node:assert/strict'
import { applyLayer, changesOf, stackTree, treeChanges } from '#builder/layer'
import { file, pax, tar } from '../../../support/raw-tar/index.ts'
import { reused, temporary } from '../support/files.ts'

const DEPTH = 4000

describe('a layer with one path of 4,000 folders', () => {
  const files = temporary()

  it('is applied, walked and compared in a time that grows with the depth', async function () {
    this.timeout(120_000)
    const directory = files.fresh()
    const layer = tar(pax({ path: `${'d/'.repeat(DEPTH)}f` }), file('x', 'deep'))
    const start = performance.now()
    const empty = files.fresh()
    await applyLayer(reused(tar()), empty, { lowers: [] })
    await applyLayer(reused(layer), directory, { lowers: [empty] })
    const tree = stackTree([directory, empty])
    assert.equal([...treeChanges(tree)].length, DEPTH + 1)
    assert.equal([...changesOf(directory)].length, DEPTH + 1)
    assert.equal([...changesOf(directory, { lower: tree })].length, 0)
    tree.close()
    // It was 40 s on an idle machine, for the first of these alone.
    assert.ok(performance.now() - start < 30_000)
  })
})

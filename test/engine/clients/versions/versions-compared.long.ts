/** Each version of the API has the fields that today's dockerd gives it. */
import { Comparison } from '../compared/comparison.ts'
import { startRootEngine } from '../support/engine.ts'
import { askVersions } from './api-versions.ts'
import { readGolden } from './golden.ts'

describe('versions of the API', function () {
  this.timeout(120_000)

  it('have what they have in dockerd', async () => {
    await using engine = await startRootEngine()
    const comparison = new Comparison({ engine: engine.name, witness: 'docker' })
    comparison.check('versions', readGolden(), await askVersions(engine))
    comparison.checkDecisions()
  })
})

/** dockerode gets from tsbuild's engine what it gets from dockerd. */
import { Comparison } from '../compared/comparison.ts'
import { witnessOf } from '../compared/witness.ts'
import { startRootEngine, startRootlessEngine } from '../support/engine.ts'
import { CALLS } from './dockerode-calls.ts'
import { DOCKERODE } from './dockerode-play.ts'

describe('dockerode', function () {
  this.timeout(300_000)
  const witness = witnessOf()
  after(async () => await witness[Symbol.asyncDispose]())

  for (const start of [startRootEngine, startRootlessEngine]) {
    it(`makes ${CALLS.length} calls of the engine of ${start.name}`, async () => {
      await using engine = await start()
      const comparison = new Comparison({ engine: engine.name, witness: witness.name })
      comparison.check('dockerode', await witness.recall(DOCKERODE), await DOCKERODE.on(engine))
      comparison.checkDecisions()
    })
  }
})

/** Debian's docker command drives tsbuild's engine as it drives dockerd. */

import { sessionsSuite } from './sessions-suite.ts'
import { startRootEngine, startRootlessEngine } from './support/engine.ts'
import { debianWitness } from './support/witness.ts'

describe("docker's command", () => {
  const client = { name: 'docker.io' }
  const witness = debianWitness()
  after(async () => await witness[Symbol.asyncDispose]())
  const players = {
    client,
    witness: 'docker.io',
    recall: (session: Parameters<typeof witness.recall>[0]) => witness.recall(session, client),
  }
  sessionsSuite('with the engine of root', { ...players, startTested: startRootEngine })
  sessionsSuite('with the engine of a user', { ...players, startTested: startRootlessEngine })
})

/** Debian's docker command, docker-compose and docker-py drive tsbuild's engine as they drive dockerd. */

import { witnessOf } from './compared/witness.ts'
import { sessionsSuite } from './sessions-suite.ts'
import { startRootEngine, startRootlessEngine } from './support/engine.ts'

describe("docker's command", () => {
  const players = { client: { name: 'docker.io' }, witness: witnessOf() }
  after(async () => await players.witness[Symbol.asyncDispose]())
  sessionsSuite('with the engine of root', { ...players, startTested: startRootEngine })
  sessionsSuite('with the engine of a user', { ...players, startTested: startRootlessEngine })
})

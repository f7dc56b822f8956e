/** Debian's docker command and docker-py drive tsbuild's engine as they drive dockerd: what is quick. */

import { witnessOf } from './compared/witness.ts'
import { sessionsSuite } from './sessions-suite.ts'
import { startRootEngine } from './support/engine.ts'

/** All of them are played by `docker.long.ts`. */
const NAMES = ['terminals', 'copy', 'logs', 'ports', 'volumes', 'events', 'docker-py']

describe("docker's command", () => {
  const players = { client: { name: 'docker.io' }, witness: witnessOf(), names: NAMES }
  after(async () => await players.witness[Symbol.asyncDispose]())
  sessionsSuite('with the engine of root', { ...players, startTested: startRootEngine })
})

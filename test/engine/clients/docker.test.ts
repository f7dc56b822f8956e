/** Debian's docker command and docker-py drive tsbuild's engine as they drive dockerd: what is quick. */

import { witnessOf } from './compared/witness.ts'
import { sessionsSuite } from './sessions-suite.ts'
import { startRootEngine, startRootlessEngine } from './support/engine.ts'

/** All of them are played by `docker.long.ts`: health and compose wait for time to pass. */
const NAMES = [
  ...['run', 'terminals', 'life', 'listing', 'exec', 'copy', 'logs', 'images', 'login', 'build'],
  ...['networks', 'ports', 'volumes', 'events', 'system', 'docker-py'],
]
/** Where the engine of a user does what root's does by other means. */
const NAMES_OF_USERS = ['terminals', 'copy', 'ports', 'volumes', 'docker-py']

describe("docker's command", () => {
  const players = { client: { name: 'docker.io' }, witness: witnessOf() }
  after(async () => await players.witness[Symbol.asyncDispose]())
  sessionsSuite('with the engine of root', {
    ...{ ...players, names: NAMES, startTested: startRootEngine },
  })
  sessionsSuite('with the engine of a user', {
    ...{ ...players, names: NAMES_OF_USERS, startTested: startRootlessEngine },
  })
})

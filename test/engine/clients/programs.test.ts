/** docker-compose and docker-py drive tsbuild's engine as they drive dockerd, and docker's command that of a user. */

import { witnessOf } from './compared/witness.ts'
import { sessionsSuite } from './sessions-suite.ts'
import { startRootEngine, startRootlessEngine } from './support/engine.ts'

/** All of them are played by `docker.long.ts`. */
const NAMES = ['compose', 'ports', 'docker-py']
/** Where the engine of a user does what root's does by other means. */
const NAMES_OF_USERS = ['terminals', 'ports']

describe("docker's other clients", () => {
  const players = { client: { name: 'docker.io' }, witness: witnessOf() }
  after(async () => await players.witness[Symbol.asyncDispose]())
  sessionsSuite('with the engine of root', {
    ...{ ...players, names: NAMES, startTested: startRootEngine },
  })
  sessionsSuite('with the engine of a user', {
    ...{ ...players, names: NAMES_OF_USERS, startTested: startRootlessEngine },
  })
})

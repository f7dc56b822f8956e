/** Debian's docker command drives tsbuild's engine as it drives dockerd. */

import { witnessOf } from './compared/witness.ts'
import { sessionsSuite } from './sessions-suite.ts'
import { startRootEngine } from './support/engine.ts'

/** All of them are played by `docker.long.ts`. */
const NAMES = ['run', 'terminals', 'exec', 'copy', 'logs']

describe("docker's command", () => {
  const players = { client: { name: 'docker.io' }, witness: witnessOf(), names: NAMES }
  after(async () => await players.witness[Symbol.asyncDispose]())
  sessionsSuite('with the engine of root', { ...players, startTested: startRootEngine })
})

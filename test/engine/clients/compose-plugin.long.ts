/** Today's compose drives tsbuild's engine as it drives today's dockerd. */
import { findPeers, unpackPeers } from '../../support/peers/index.ts'
import { witnessOf } from './compared/witness.ts'
import { COMPOSE_PLUGIN } from './sessions/compose-plugin/index.ts'
import { sessionsSuite } from './sessions-suite.ts'
import { startRootEngine } from './support/engine.ts'

const peers = findPeers()

if (peers !== undefined) {
  const folder = await unpackPeers(peers)
  describe("today's compose", () => {
    const players = {
      client: { name: 'docker', folder },
      witness: witnessOf(folder),
      sessions: COMPOSE_PLUGIN,
    }
    after(async () => await players.witness[Symbol.asyncDispose]())
    sessionsSuite('with the engine of root', { ...players, startTested: startRootEngine })
  })
}

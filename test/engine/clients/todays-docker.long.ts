/** Today's docker command and compose drive tsbuild's engine as they drive today's dockerd. */
import { findPeers, unpackPeers } from '../../support/peers/index.ts'
import { witnessOf } from './compared/witness.ts'
import { sessionsSuite } from './sessions-suite.ts'
import { startRootEngine } from './support/engine.ts'

const peers = findPeers()

if (peers !== undefined) {
  const folder = await unpackPeers(peers)
  describe("today's docker command", () => {
    const players = { client: { name: 'docker', folder }, witness: witnessOf(folder) }
    after(async () => await players.witness[Symbol.asyncDispose]())
    sessionsSuite('with the engine of root', { ...players, startTested: startRootEngine })
  })
}

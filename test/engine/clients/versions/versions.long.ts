/** What the table of versions says is what today's dockerd answers; with UPDATE=1 it is written. */
import assert from 'node:assert/strict'
import { findPeers, unpackPeers } from '../../../support/peers/index.ts'
import { startDockerEngine } from '../support/engine.ts'
import { askVersions } from './api-versions.ts'
import { readGolden, writeGolden } from './golden.ts'

const peers = findPeers()

if (peers !== undefined) {
  describe("versions of the API in today's dockerd", function () {
    this.timeout(300_000)

    it('are as the table has them', async () => {
      await using engine = await startDockerEngine({ programs: await unpackPeers(peers) })
      const said = await askVersions(engine)
      if (process.env.UPDATE === '1') writeGolden(said)
      assert.deepEqual(readGolden(), said)
    })
  })
}

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import {
  findPeers,
  startBuildkitd,
  startBusyboxRegistry,
  temporaryDirectory,
  unpackPeers,
} from '../../support/peers/index.ts'
import { buildctlVertices } from './support/buildctl-facts.ts'
import { type StatusCase, statusCases } from './support/cases.ts'
import { described, factsFile, type Rounds } from './support/described.ts'
import type { ShownVertex } from './support/vertex-facts.ts'

/** `UPDATE=1` writes what buildkitd says. */
describe('what is kept of buildkitd’s statuses', function () {
  this.timeout(300_000)

  it('is what it says today', async () => {
    const peers = findPeers()
    if (peers === undefined) throw new Error('there is no buildkitd to ask: see findPeers')
    const programs = await unpackPeers(peers)
    await using buildkitd = await startBuildkitd(programs)
    await using registry = await startBusyboxRegistry()
    using place = temporaryDirectory('facts')
    const { host } = registry
    const asking = { buildkitd, programs, folder: place.path }
    const ask = (one: StatusCase): Promise<Iterable<ShownVertex>> => buildctlVertices(one, asking)
    await ask({ name: 'first', dockerfile: [`FROM ${host}/busybox`, 'RUN true'], args: [] })
    for (const one of statusCases(host, place.path)) {
      const rounds: Rounds = [await ask(one), await ask(one)]
      const said = described(rounds, host, one)
      if (process.env.UPDATE !== undefined) writeFileSync(factsFile(one.name), said)
      assert.equal(said, readFileSync(factsFile(one.name), 'utf8'), one.name)
    }
  })
})

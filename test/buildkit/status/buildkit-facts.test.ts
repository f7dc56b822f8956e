import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type Registry, startBusyboxRegistry } from '../../support/peers/index.ts'
import { statusCases } from './support/cases.ts'
import { described, factsFile, type Rounds } from './support/described.ts'
import { FedBuilds } from './support/fed-build.ts'
import { shownVertices } from './support/shown-vertices.ts'
import type { ShownVertex } from './support/vertex-facts.ts'

describe('vertices, compared with what buildkitd has said of the same builds', () => {
  let registry: Registry
  let builds: FedBuilds

  before(async () => {
    registry = await startBusyboxRegistry()
    builds = new FedBuilds()
    // The image is here when the first case begins, as it was for buildkitd.
    await builds.run({ dockerfile: `FROM ${registry.host}/busybox\nRUN true` })
  })
  after(async () => {
    builds[Symbol.dispose]()
    await registry[Symbol.asyncDispose]()
  })

  for (const { name } of statusCases('', '')) {
    it(name, async () => {
      const one = statusCases(registry.host, builds.folder).find((other) => other.name === name)
      assert.ok(one !== undefined)
      const build = async (): Promise<Iterable<ShownVertex>> => {
        const { dockerfile, files = {}, options } = one
        const text = dockerfile.join('\n')
        const { responses } = await builds.run({ dockerfile: text, files, ...options })
        return shownVertices(responses).values()
      }
      const rounds: Rounds = [[...(await build())], [...(await build())]]
      const facts = readFileSync(factsFile(name), 'utf8')
      assert.equal(described(rounds, registry.host, one), facts)
    })
  }
})

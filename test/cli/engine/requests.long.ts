import assert from 'node:assert/strict'
import { join } from 'node:path'
import {
  findPeers,
  type TemporaryDirectory,
  temporaryDirectory,
  unpackPeers,
} from '../../support/peers/index.ts'
import { COMMAND_LINES, NEWER_COMMAND_LINES } from './command-lines.ts'
import { compareRequests, type RequestComparison } from './requests.ts'

/** What today's client has taken another word for. */
const RENAMED = /bind-nonrecursive/

describe("requests of today's docker", () => {
  const peers = findPeers()
  let directory: TemporaryDirectory
  let comparison: RequestComparison
  before(async function () {
    if (peers === undefined) return this.skip()
    directory = temporaryDirectory('requests')
    const docker = join(await unpackPeers(peers), 'docker')
    comparison = await compareRequests(directory, { docker, version: '1.55' })
  })
  after(async () => {
    await comparison?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  for (const words of [...COMMAND_LINES, ...NEWER_COMMAND_LINES]) {
    const line = words.join(' ')
    if (RENAMED.test(line)) continue
    it(`are those of ${line}`, async () => {
      const { docker, tsbuild } = await comparison.compare(words)
      assert.ok(docker.length > 0, 'docker asked for something')
      assert.deepEqual(tsbuild, docker)
    })
  }
})

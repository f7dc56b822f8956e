import assert from 'node:assert/strict'
import { join } from 'node:path'
import {
  findPeers,
  type TemporaryDirectory,
  temporaryDirectory,
  unpackPeers,
} from '../../support/peers/index.ts'
import {
  COMMAND_LINES,
  LISTS,
  NEWER_COMMAND_LINES,
  REFUSED_COMMAND_LINES,
} from './command-lines.ts'
import { compareRequests, type RequestComparison } from './requests.ts'

/** What today's client has taken another word for. */
const RENAMED = /bind-nonrecursive/
/** What it leaves to the daemon, and what the daemon has to count for it. */
const LEFT_TO_DAEMON = /source=\/tmp busybox|^system df/

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
      assert.ok(docker.requests.length > 0, 'docker asked for something')
      assert.deepEqual(tsbuild.requests, docker.requests)
    })
  }

  for (const words of REFUSED_COMMAND_LINES) {
    if (LEFT_TO_DAEMON.test(words.join(' '))) continue
    it(`are none for ${words.join(' ')}`, async () => {
      const { docker, tsbuild } = await comparison.compare(words)
      assert.ok(docker.status !== 0 && tsbuild.status !== 0)
      assert.deepEqual(tsbuild.requests, [])
    })
  }

  for (const words of LISTS) {
    if (LEFT_TO_DAEMON.test(words.join(' '))) continue
    it(`lead to what it prints for ${words.join(' ')}`, async () => {
      const { docker, tsbuild } = await comparison.compare(words)
      assert.ok(docker.stdout.trim() !== '')
      assert.equal(tsbuild.stdout, docker.stdout)
    })
  }
})

import assert from 'node:assert/strict'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'
import { COMMAND_LINES } from './command-lines.ts'
import { compareRequests, type RequestComparison } from './requests.ts'

/** Debian's client, and the version that it speaks. */
const DOCKER = { docker: '/usr/bin/docker', version: '1.41' }

describe('requests', () => {
  let directory: TemporaryDirectory
  let comparison: RequestComparison
  before(async () => {
    directory = temporaryDirectory('requests')
    comparison = await compareRequests(directory, DOCKER)
  })
  after(async () => {
    await comparison?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  for (const words of COMMAND_LINES) {
    it(`of ${words.join(' ')} are docker's`, async () => {
      const { docker, tsbuild } = await comparison.compare(words)
      assert.ok(docker.length > 0, 'docker asked for something')
      assert.deepEqual(tsbuild, docker)
    })
  }
})

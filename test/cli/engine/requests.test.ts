import assert from 'node:assert/strict'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'
import { COMMAND_LINES, LISTS, REFUSED_COMMAND_LINES } from './command-lines.ts'
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
      assert.ok(docker.requests.length > 0, 'docker asked for something')
      assert.deepEqual(tsbuild.requests, docker.requests)
    })
  }

  for (const words of REFUSED_COMMAND_LINES) {
    it(`are none for ${words.join(' ')}`, async () => {
      const { docker, tsbuild } = await comparison.compare(words)
      assert.notEqual(docker.status, 0)
      assert.notEqual(tsbuild.status, 0)
      assert.deepEqual(
        { docker: docker.requests, tsbuild: tsbuild.requests },
        { docker: [], tsbuild: [] },
      )
      if (words[0] === 'run') assert.equal(tsbuild.status, 125)
    })
  }

  for (const words of LISTS) {
    it(`lead to what docker prints for ${words.join(' ')}`, async () => {
      const { docker, tsbuild } = await comparison.compare(words)
      assert.ok(docker.stdout.trim() !== '')
      assert.equal(tsbuild.stdout, docker.stdout)
      assert.equal(tsbuild.status, docker.status)
    })
  }
})

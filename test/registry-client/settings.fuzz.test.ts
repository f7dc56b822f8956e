import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { dockerConfigCredentials } from '#registry-client'
import { type TemporaryDirectory, temporaryDirectory } from '../support/peers/index.ts'
import { fuzz, orTypedLater, textHavoc } from '../support/random/index.ts'

const HOST = 'registry.test'
const AUTH = Buffer.from('user:word').toString('base64')
const CONFIGS = [
  { auths: { [HOST]: { auth: AUTH } } },
  { auths: { [`https://${HOST}/v2/`]: { username: 'u', password: 'p', identitytoken: '' } } },
  { credHelpers: { [HOST]: '../evil' }, credsStore: '/bin/sh' },
  { auths: { [HOST]: { registrytoken: 't' } }, credsStore: 'a b;touch x' },
].map((config) => JSON.stringify(config))

const inputs = fc.record({ config: textHavoc(CONFIGS), given: textHavoc(CONFIGS) })

describe('fuzz: settings of docker', () => {
  let place: TemporaryDirectory
  before(() => {
    place = temporaryDirectory('fuzz-settings')
    mkdirSync(place.file('bin'))
    // What a name leads to that is no name: it would be found beside the folder of programs.
    const evil = `#!/bin/sh\ntouch ${place.file('started')}\n`
    writeFileSync(place.file('evil'), evil, { mode: 0o755 })
  })
  after(() => place[Symbol.dispose]())

  fuzz('F17: name credentials, or are refused, and start nothing that is no helper', {
    name: 'settings',
    inputs,
    check: async ({ config, given }) => {
      writeFileSync(place.file('config.json'), config)
      for (const authConfig of [undefined, given]) {
        const store = dockerConfigCredentials({
          configDir: place.path,
          authConfig,
          env: { PATH: place.file('bin') },
        })
        const found = await orTypedLater(['CONFIG_INVALID'], () => store.get(HOST))
        assert.ok(found === undefined || typeof found.kind === 'string')
      }
      assert.ok(!existsSync(place.file('started')))
    },
  })
})

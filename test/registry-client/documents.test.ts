import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { JsonObject } from '#core'
import { type CredentialStore, dockerConfigCredentials } from '#registry-client'
import { documentSuite } from '../suites/documents.ts'
import { MemoryRegistry } from '../support/registry/index.ts'
import { ALICE, addImage, clientFor, fixedCredentials, repositoryOf } from './support.ts'

const ENTRY: JsonObject = {
  auth: Buffer.from('alice:open-sesame').toString('base64'),
  username: 'alice',
  password: 'open-sesame',
  identitytoken: '',
  registrytoken: '',
}

const CONFIG: JsonObject = {
  auths: { 'skipper.io': ENTRY, 'https://index.docker.io/v1/': {} },
  credsStore: '',
  credHelpers: { 'kiosk.io': 'none' },
}
const CONFIG_MAPS = ['auths', 'credHelpers']

describe('documents of registries and users', () => {
  let directory: string

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'tsbuild-test-'))
    mkdirSync(join(directory, 'bin'))
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  function store(authConfig?: string): CredentialStore {
    const PATH = `${join(directory, 'bin')}${delimiter}${process.env.PATH}`
    return dockerConfigCredentials({ configDir: directory, env: { PATH }, authConfig })
  }

  documentSuite({
    name: "docker's config.json",
    example: CONFIG,
    maps: CONFIG_MAPS,
    required: [],
    read: (bytes) => {
      writeFileSync(join(directory, 'config.json'), bytes)
      return store().get('skipper.io')
    },
  })

  documentSuite({
    name: 'DOCKER_AUTH_CONFIG',
    example: CONFIG,
    maps: CONFIG_MAPS,
    required: [],
    read: (bytes) => {
      writeFileSync(join(directory, 'config.json'), '{}')
      return store(bytes.toString()).get('skipper.io')
    },
  })

  documentSuite({
    name: 'the answer of a credential helper',
    example: { ServerURL: 'skipper.io', Username: 'alice', Secret: 'open-sesame' },
    maps: [],
    required: ['Secret', 'Username'],
    read: (bytes) => {
      const answer = join(directory, 'answer')
      const program = join(directory, 'bin', 'docker-credential-script')
      writeFileSync(join(directory, 'config.json'), '{"credsStore":"script"}')
      writeFileSync(program, `#!/bin/sh\nexec cat ${answer}\n`, { mode: 0o755 })
      writeFileSync(answer, bytes)
      return store().get('skipper.io')
    },
  })

  documentSuite({
    name: 'the answer of a token service',
    example: {
      token: 'abc',
      access_token: 'abc',
      expires_in: 300,
      issued_at: '2026-01-02T03:04:05Z',
      refresh_token: 'r',
      scope: 'repository:a:pull',
    },
    maps: [],
    required: [],
    read: async (bytes) => {
      await using registry = await MemoryRegistry.start({
        auth: { kind: 'bearer', users: { alice: 'open-sesame' } },
      })
      addImage(registry, 'team/app', { tag: '1' })
      await using client = clientFor({ credentials: fixedCredentials(ALICE) })
      let answer = ''
      registry.fail({
        path: /^\/token/,
        action: {
          kind: 'edit',
          edit: (reply) => {
            answer = JSON.parse(String(reply.body)).token
            const text = bytes.toString().replaceAll('abc', answer)
            return { ...reply, body: Buffer.from(text) }
          },
        },
      })
      const { digest } = await repositoryOf(client, registry).resolve('1')
      return digest
    },
  })
})

import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { inspect } from 'node:util'
import { TsbuildError } from '#core'
import { type CredentialStore, dockerConfigCredentials } from '#registry-client'
import { ALICE } from '../support.ts'

const HUB = 'https://index.docker.io/v1/'

describe('credentials of docker', () => {
  let directory: string
  let file: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tsbuild-test-'))
    file = join(directory, 'config.json')
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  function store(options: { authConfig?: string; helperTimeout?: number } = {}): CredentialStore {
    const PATH = `${join(directory, 'bin')}${delimiter}${process.env.PATH}`
    return dockerConfigCredentials({ configDir: directory, env: { PATH }, ...options })
  }

  function writeConfig(config: object): void {
    writeFileSync(file, JSON.stringify(config))
  }

  function readConfig(): Record<string, unknown> {
    return JSON.parse(readFileSync(file, 'utf8'))
  }

  describe('auths', () => {
    it('are none without a file', async () => {
      assert.equal(await store().get('docker.io'), undefined)
      assert.equal(await store().erase('docker.io'), false)
      assert.deepEqual(readdirSync(directory), [])
    })

    const keys: readonly (readonly [string, string])[] = [
      ['docker.io', HUB],
      ['docker.io', 'docker.io'],
      ['docker.io', 'registry-1.docker.io'],
      ['ghcr.io', 'ghcr.io'],
      ['ghcr.io', 'https://ghcr.io'],
      ['ghcr.io', 'https://ghcr.io/v1/'],
      ['ghcr.io', 'http://ghcr.io/v2/'],
      ['host:5000', 'https://host:5000/v2/'],
    ]
    for (const [host, key] of keys) {
      it(`for ${host} may be kept under ${key}`, async () => {
        writeConfig({
          auths: { 'other.io': { auth: encode('x:y') }, [key]: { auth: encode('a:b') } },
        })
        assert.deepEqual(await store().get(host), {
          kind: 'password',
          username: 'a',
          password: 'b',
        })
        assert.equal(await store().get('unknown.io'), undefined)
      })
    }

    it('prefer the exact key', async () => {
      writeConfig({
        auths: { 'https://h.io/v2/': { auth: encode('a:1') }, 'h.io': { auth: encode('a:2') } },
      })
      assert.deepEqual(await store().get('h.io'), { ...ALICE, username: 'a', password: '2' })
    })

    const entries: readonly (readonly [string, object, object | undefined])[] = [
      ['a password with colons', { auth: encode('a:b:c') }, pair('a', 'b:c')],
      ['a password padded with NULs', { auth: encode('a:b\0\0') }, pair('a', 'b')],
      ['plain fields', { username: 'a', password: 'b' }, pair('a', 'b')],
      ['nothing', {}, undefined],
      [
        'an identity token',
        { auth: encode('a:'), identitytoken: 't' },
        { kind: 'identity-token', username: 'a', token: 't' },
      ],
      ['a registry token', { registrytoken: 't' }, { kind: 'registry-token', token: 't' }],
    ]
    for (const [what, entry, expected] of entries) {
      it(`may hold ${what}`, async () => {
        writeConfig({ auths: { 'h.io': entry } })
        assert.deepEqual(await store().get('h.io'), expected)
      })
    }

    it('are refused when damaged', async () => {
      writeConfig({ auths: { 'h.io': { auth: encode('no colon') } } })
      await assert.rejects(store().get('h.io'), { code: 'CONFIG_INVALID' })
    })

    it('of DOCKER_AUTH_CONFIG go first', async () => {
      writeConfig({
        auths: { 'h.io': { auth: encode('a:file') }, 'i.io': { auth: encode('a:b') } },
      })
      const both = store({
        authConfig: JSON.stringify({ auths: { 'h.io': { auth: encode('a:env') } } }),
      })
      assert.deepEqual(await both.get('h.io'), pair('a', 'env'))
      assert.deepEqual(await both.get('i.io'), pair('a', 'b'))
    })
  })

  describe('the file', () => {
    const broken: readonly (readonly [string, () => void])[] = [
      ['no JSON', () => writeFileSync(file, '{"auths":{"h":{"auth":"c2VjcmV0OnM="}}')],
      ['a list', () => writeFileSync(file, '["c2VjcmV0OnM="]')],
      ['too large', () => writeFileSync(file, `"${'x'.repeat(2 * 1024 * 1024)}`)],
      ['a directory', () => mkdirSync(file)],
      ['deeply nested', () => writeFileSync(file, `{"a":${'['.repeat(5000)}`)],
    ]
    for (const [what, write] of broken) {
      it(`is refused when it is ${what}, without quoting it`, async () => {
        write()
        await assert.rejects(store().get('h.io'), (error) => {
          assert.ok(error instanceof TsbuildError)
          assert.ok(error.code === 'CONFIG_INVALID' || error.code === 'IO_FAILED')
          assert.ok(error.message.includes(file))
          assert.equal(inspect(error, { depth: 9 }).includes('c2Vjc'), false)
          return true
        })
      })
    }

    it('keeps what others wrote, and is for its owner only', async () => {
      writeConfig({
        HttpHeaders: { 'X-Meta': 'v' },
        auths: {
          'other.io': { auth: encode('x:y') },
          'https://h.io/v1/': { auth: encode('o:ld') },
        },
        currentContext: 'c',
        detachKeys: 'ctrl-e,e',
      })
      await store().set('h.io', ALICE)
      assert.deepEqual(readConfig(), {
        HttpHeaders: { 'X-Meta': 'v' },
        auths: {
          'other.io': { auth: encode('x:y') },
          'h.io': { auth: encode('alice:open-sesame') },
        },
        currentContext: 'c',
        detachKeys: 'ctrl-e,e',
      })
      assert.equal(statSync(file).mode & 0o777, 0o600)
      assert.deepEqual(readdirSync(directory), ['config.json'])
    })

    it('comes into being with its folder', async () => {
      const configDir = join(directory, 'a', 'b')
      const fresh = dockerConfigCredentials({ configDir })
      await fresh.set('docker.io', ALICE)
      assert.deepEqual(await fresh.get('docker.io'), ALICE)
      const written = JSON.parse(readFileSync(join(configDir, 'config.json'), 'utf8'))
      assert.deepEqual(Object.keys(written.auths), [HUB])
      assert.equal(statSync(configDir).mode & 0o777, 0o700)
    })

    it('stays a symbolic link', async () => {
      const real = join(directory, 'real.json')
      writeFileSync(real, '{}')
      symlinkSync(real, file)
      await store().set('h.io', ALICE)
      assert.ok(readFileSync(real, 'utf8').includes(encode('alice:open-sesame')))
      assert.deepEqual(readdirSync(directory).sort(), ['config.json', 'real.json'])
    })

    it('remembers every kind of credentials', async () => {
      const kinds = [
        ALICE,
        { kind: 'identity-token', username: 'a', token: 't' },
        { kind: 'registry-token', token: 't' },
      ] as const
      for (const credentials of kinds) {
        await store().set('h.io', credentials)
        assert.deepEqual(await store().get('h.io'), credentials)
      }
    })

    it('forgets a host under every spelling', async () => {
      writeConfig({ auths: { 'h.io': {}, 'https://h.io/v2/': {}, 'i.io': {} }, x: 1 })
      assert.equal(await store().erase('h.io'), true)
      assert.deepEqual(readConfig(), { auths: { 'i.io': {} }, x: 1 })
      assert.equal(await store().erase('h.io'), false)
    })
  })
})

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}

function pair(username: string, password: string) {
  return { kind: 'password', username, password }
}

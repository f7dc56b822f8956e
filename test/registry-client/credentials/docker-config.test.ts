import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { TsbuildError } from '#core'
import { dockerConfigCredentials } from '#registry-client'
import { ALICE } from '../support.ts'
import { useDockerHome } from './docker-home.ts'

const HUB = 'https://index.docker.io/v1/'

describe('credentials of docker', () => {
  const home = useDockerHome()

  describe('auths', () => {
    it('are none without a file', async () => {
      assert.equal(await home.store().get('docker.io'), undefined)
      assert.equal(await home.store().erase('docker.io'), false)
      assert.deepEqual(readdirSync(home.directory), [])
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
        home.writeConfig({
          auths: { 'other.io': { auth: encode('x:y') }, [key]: { auth: encode('a:b') } },
        })
        assert.deepEqual(await home.store().get(host), {
          kind: 'password',
          username: 'a',
          password: 'b',
        })
        assert.equal(await home.store().get('unknown.io'), undefined)
      })
    }

    it('prefer the exact key', async () => {
      home.writeConfig({
        auths: { 'https://h.io/v2/': { auth: encode('a:1') }, 'h.io': { auth: encode('a:2') } },
      })
      assert.deepEqual(await home.store().get('h.io'), { ...ALICE, username: 'a', password: '2' })
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
        home.writeConfig({ auths: { 'h.io': entry } })
        assert.deepEqual(await home.store().get('h.io'), expected)
      })
    }

    it('are refused when damaged', async () => {
      home.writeConfig({ auths: { 'h.io': { auth: encode('no colon') } } })
      await assert.rejects(home.store().get('h.io'), { code: 'CONFIG_INVALID' })
    })

    it('of DOCKER_AUTH_CONFIG go first', async () => {
      home.writeConfig({
        auths: { 'h.io': { auth: encode('a:file') }, 'i.io': { auth: encode('a:b') } },
      })
      const both = home.store({
        authConfig: JSON.stringify({ auths: { 'h.io': { auth: encode('a:env') } } }),
      })
      assert.deepEqual(await both.get('h.io'), pair('a', 'env'))
      assert.deepEqual(await both.get('i.io'), pair('a', 'b'))
    })
  })

  describe('the file', () => {
    const broken: readonly (readonly [string, () => void])[] = [
      ['no JSON', () => writeFileSync(home.file, '{"auths":{"h":{"auth":"c2VjcmV0OnM="}}')],
      ['a list', () => writeFileSync(home.file, '["c2VjcmV0OnM="]')],
      ['too large', () => writeFileSync(home.file, `"${'x'.repeat(2 * 1024 * 1024)}`)],
      ['a directory', () => mkdirSync(home.file)],
      ['deeply nested', () => writeFileSync(home.file, `{"a":${'['.repeat(5000)}`)],
    ]
    for (const [what, write] of broken) {
      it(`is refused when it is ${what}, without quoting it`, async () => {
        write()
        await assert.rejects(home.store().get('h.io'), (error) => {
          assert.ok(error instanceof TsbuildError)
          assert.ok(error.code === 'CONFIG_INVALID' || error.code === 'IO_FAILED')
          assert.ok(error.message.includes(home.file))
          assert.equal(inspect(error, { depth: 9 }).includes('c2Vjc'), false)
          return true
        })
      })
    }

    it('keeps what others wrote, and is for its owner only', async () => {
      home.writeConfig({
        HttpHeaders: { 'X-Meta': 'v' },
        auths: {
          'other.io': { auth: encode('x:y') },
          'https://h.io/v1/': { auth: encode('o:ld') },
        },
        currentContext: 'c',
        detachKeys: 'ctrl-e,e',
      })
      await home.store().set('h.io', ALICE)
      assert.deepEqual(home.readConfig(), {
        HttpHeaders: { 'X-Meta': 'v' },
        auths: {
          'other.io': { auth: encode('x:y') },
          'h.io': { auth: encode('alice:open-sesame') },
        },
        currentContext: 'c',
        detachKeys: 'ctrl-e,e',
      })
      assert.equal(statSync(home.file).mode & 0o777, 0o600)
      assert.deepEqual(readdirSync(home.directory), ['config.json'])
    })

    it('comes into being with its folder', async () => {
      const configDir = join(home.directory, 'a', 'b')
      const fresh = dockerConfigCredentials({ configDir })
      await fresh.set('docker.io', ALICE)
      assert.deepEqual(await fresh.get('docker.io'), ALICE)
      const written = JSON.parse(readFileSync(join(configDir, 'config.json'), 'utf8'))
      assert.deepEqual(Object.keys(written.auths), [HUB])
      assert.equal(statSync(configDir).mode & 0o777, 0o700)
    })

    it('stays a symbolic link', async () => {
      const real = join(home.directory, 'real.json')
      writeFileSync(real, '{}')
      symlinkSync(real, home.file)
      await home.store().set('h.io', ALICE)
      assert.ok(readFileSync(real, 'utf8').includes(encode('alice:open-sesame')))
      assert.deepEqual(readdirSync(home.directory).sort(), ['config.json', 'real.json'])
    })

    it('remembers every kind of credentials', async () => {
      const kinds = [
        ALICE,
        { kind: 'identity-token', username: 'a', token: 't' },
        { kind: 'registry-token', token: 't' },
      ] as const
      for (const credentials of kinds) {
        await home.store().set('h.io', credentials)
        assert.deepEqual(await home.store().get('h.io'), credentials)
      }
    })

    it('forgets a host under every spelling', async () => {
      home.writeConfig({ auths: { 'h.io': {}, 'https://h.io/v2/': {}, 'i.io': {} }, x: 1 })
      assert.equal(await home.store().erase('h.io'), true)
      assert.deepEqual(home.readConfig(), { auths: { 'i.io': {} }, x: 1 })
      assert.equal(await home.store().erase('h.io'), false)
    })
  })
})

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}

function pair(username: string, password: string) {
  return { kind: 'password', username, password }
}

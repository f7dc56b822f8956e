import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { TsbuildError } from '#core'
import { ALICE } from '../support.ts'
import { useDockerHome } from './docker-home.ts'

const HUB = 'https://index.docker.io/v1/'

describe('credential helpers', () => {
  const home = useDockerHome()

  /** A helper written in shell: it keeps what it was given beside itself. */
  function addHelper(name: string, script: string): void {
    const bin = join(home.directory, 'bin')
    mkdirSync(bin, { recursive: true })
    writeFileSync(join(bin, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, `docker-credential-${name}`), 0o755)
  }

  describe('helpers', () => {
    const KEEPER = `kept="$(dirname "$0")/kept"
      case "$1" in
        store) cat > "$kept" ;;
        get) [ -f "$kept" ] || { echo 'credentials not found in native keychain'; exit 1; }
             cat "$kept" ;;
        erase) rm "$kept" ;;
      esac`

    it('keep what is stored, and the file does not', async () => {
      addHelper('keeper', KEEPER)
      home.writeConfig({ credsStore: 'keeper', auths: { 'h.io': { auth: encode('o:ld') } } })
      assert.deepEqual(await home.store().get('h.io'), pair('o', 'ld'))
      await home.store().set('h.io', ALICE)
      assert.deepEqual(await home.store().get('h.io'), ALICE)
      assert.deepEqual(home.readConfig(), { credsStore: 'keeper', auths: {} })
      assert.equal(await home.store().erase('h.io'), true)
      assert.equal(await home.store().get('h.io'), undefined)
      assert.equal(await home.store().erase('h.io'), false)
    })

    it('keep identity tokens under a name of their own', async () => {
      addHelper('keeper', KEEPER)
      home.writeConfig({ credHelpers: { 'h.io': 'keeper' } })
      const token = { kind: 'identity-token', username: '<token>', token: 't' } as const
      await home.store().set('h.io', token)
      assert.deepEqual(await home.store().get('h.io'), token)
    })

    it('of a host go before the common store', async () => {
      addHelper('one', `cat > /dev/null; echo '{"Username":"one","Secret":"1"}'`)
      addHelper('all', `cat > /dev/null; echo '{"Username":"all","Secret":"2"}'`)
      home.writeConfig({ credHelpers: { 'h.io': 'one' }, credsStore: 'all' })
      assert.deepEqual(await home.store().get('h.io'), pair('one', '1'))
      assert.deepEqual(await home.store().get('i.io'), pair('all', '2'))
    })

    it("are asked for Docker Hub's old name", async () => {
      addHelper('echo', `read -r url; echo "{\\"Username\\":\\"u\\",\\"Secret\\":\\"$url\\"}"`)
      home.writeConfig({ credsStore: 'echo' })
      assert.deepEqual(await home.store().get('docker.io'), pair('u', HUB))
    })

    it('see nothing but their environment, and no secret among their arguments', async () => {
      addHelper(
        'env',
        `cat > /dev/null; echo "{\\"Username\\":\\"$*\\",\\"Secret\\":\\"[$HOME]\\"}"`,
      )
      home.writeConfig({ credsStore: 'env' })
      assert.deepEqual(await home.store().get('h.io'), pair('get', '[]'))
    })

    const failing: readonly (readonly [string, string])[] = [
      ['exits with an error', 'echo geheim; exit 3'],
      ['answers with something else', 'echo geheim'],
      ['answers with half of it', `echo '{"Username":"geheim"}'`],
      ['never ends', 'echo geheim; sleep 30 & wait'],
      ['never stops', 'yes geheim'],
    ]
    for (const [what, script] of failing) {
      it(`are an error when one ${what}`, async () => {
        addHelper('bad', script)
        home.writeConfig({ credsStore: 'bad' })
        const started = performance.now()
        await assert.rejects(home.store({ helperTimeout: 500 }).get('h.io'), (error) => {
          assert.ok(error instanceof TsbuildError)
          assert.equal(error.code, 'CONFIG_INVALID')
          assert.match(error.message, /^get credentials: docker-credential-bad /)
          assert.equal(inspect(error, { depth: 9 }).includes('geheim'), false)
          return true
        })
        assert.ok(performance.now() - started < 5000)
      })
    }

    it('are an error when not installed', async () => {
      home.writeConfig({ credsStore: 'absent' })
      await assert.rejects(home.store().get('h.io'), {
        code: 'CONFIG_INVALID',
        message: 'get credentials: docker-credential-absent could not be started',
      })
    })

    it('of all registries are a warning, once, for who can go on without', async () => {
      home.writeConfig({ credsStore: 'absent', auths: { 'h.io': { auth: encode('a:b') } } })
      const warnings: string[] = []
      const store = home.store({ onWarning: (message) => warnings.push(message) })
      assert.equal((await store.get('h.io'))?.kind, 'password')
      assert.equal(await store.get('public.io'), undefined)
      assert.equal(await store.get('public.io'), undefined)
      assert.deepEqual(
        warnings,
        ['h.io', 'public.io'].map(
          (host) =>
            `get credentials: docker-credential-absent could not be started; going on without credentials of ${host}`,
        ),
      )
      await assert.rejects(store.set('h.io', { kind: 'password', username: 'a', password: 'b' }))
    })

    it('of one registry are an error when not installed', async () => {
      home.writeConfig({ credsStore: 'other', credHelpers: { 'h.io': 'absent' } })
      const store = home.store({ onWarning: () => assert.fail('no warning') })
      await assert.rejects(store.get('h.io'), { code: 'CONFIG_INVALID' })
    })

    for (const name of ['../../evil', 'a b', '-x', 'a;b', 'x'.repeat(100)]) {
      it(`are not called ${JSON.stringify(name.slice(0, 12))}`, async () => {
        home.writeConfig({ credsStore: name })
        await assert.rejects(home.store().get('h.io'), /invalid credential helper name/)
      })
    }
  })
})

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}

function pair(username: string, password: string) {
  return { kind: 'password', username, password }
}

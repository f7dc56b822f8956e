import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../../../cli/main.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'
import { FakeKeyboard, fakeShell } from '../support/fake-shell.ts'

describe('login and logout', () => {
  let folder = ''
  let registry: MemoryRegistry
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-cli-'))
    registry = await MemoryRegistry.start({ auth: { kind: 'basic', users: { me: 'secret' } } })
  })
  afterEach(async () => {
    await registry[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  async function run(argv: readonly string[], stdin = '') {
    const shell = fakeShell({ env: { DOCKER_CONFIG: folder }, stdin })
    const code = await runProgram(argv, shell)
    return { code, out: shell.out(), err: shell.err() }
  }

  const config = () => JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))

  it('keep credentials that the registry accepts, and forget them', async () => {
    writeFileSync(join(folder, 'config.json'), '{"detachKeys":"ctrl-q"}')
    const login = ['login', '-u', 'me', '--password-stdin', registry.host]
    const { code, out, err } = await run(login, 'secret\n')
    assert.equal(out, `logged in to ${registry.host} as me\n`)
    assert.match(err, /^WARNING: the password is stored unencrypted in .*config\.json; /)
    assert.equal(code, 0)
    const auth = Buffer.from('me:secret').toString('base64')
    assert.deepEqual(config(), { detachKeys: 'ctrl-q', auths: { [registry.host]: { auth } } })
    assert.equal(statSync(join(folder, 'config.json')).mode & 0o077, 0)
    const first = await run(['logout', `http://${registry.host}/v2/`])
    assert.deepEqual(first, { code: 0, out: `logged out of ${registry.host}\n`, err: '' })
    assert.equal(config().auths?.[registry.host], undefined)
    const second = await run(['logout', registry.host])
    assert.deepEqual(second, { code: 0, out: `not logged in to ${registry.host}\n`, err: '' })
  })

  it('keep nothing that the registry refuses', async () => {
    const { code, out, err } = await run(['login', '-u', 'me', '-p', 'wrong', registry.host])
    assert.deepEqual({ code, out }, { code: 1, out: '' })
    assert.match(
      err,
      /^WARNING: other users can see a --password; .*\nERROR: .*\(REGISTRY_DENIED\)\n/,
    )
    assert.doesNotMatch(err, /wrong/)
    assert.throws(config, { code: 'ENOENT' })
  })

  it('ask for what is not given, the password without an echo', async () => {
    const keyboard = new FakeKeyboard()
    const shell = { ...fakeShell({ env: { DOCKER_CONFIG: folder } }), stdin: keyboard }
    const running = runProgram(['login', registry.host], shell)
    keyboard.write('me\n')
    while (!shell.err().includes('Password: ')) await new Promise((done) => setImmediate(done))
    keyboard.write('secret\r')
    assert.equal(await running, 0, shell.err())
    assert.doesNotMatch(shell.err(), /secret/)
    assert.ok(registry.host in config().auths)
  })

  it('refuse two passwords', async () => {
    const argv = ['login', '-u', 'me', '-p', 'x', '--password-stdin', registry.host]
    assert.match(
      (await run(argv)).err,
      /^ERROR: --password and --password-stdin exclude each other/,
    )
  })
})

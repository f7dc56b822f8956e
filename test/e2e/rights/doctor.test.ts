import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createUser } from '../../support/peers/index.ts'
import { type Installed, installedFor } from '../support/installed.ts'
import { tsbuild } from '../support/tsbuild.ts'

interface Check {
  readonly subject: string
  readonly state: string
  readonly detail: string
  readonly hint?: string
}

describe('end to end: the doctor', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-doctor-test-'))
    chmodSync(folder, 0o777)
    for (const name of ['tmp', 'home']) {
      mkdirSync(join(folder, name))
      chmodSync(join(folder, name), 0o777)
    }
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  async function ask({
    env: variables,
    ...start
  }: {
    readonly prefix?: readonly string[]
    readonly env?: Readonly<Record<string, string>>
    readonly installed?: Installed
  }): Promise<{
    readonly checks: ReadonlyMap<string, Check>
    readonly status: number | undefined
  }> {
    const root = join(folder, 'store')
    const env = { TMPDIR: join(folder, 'tmp'), HOME: join(folder, 'home'), ...variables }
    const { stdout, stderr, status } = await tsbuild(['doctor', '--format', 'json'], {
      ...{ root, env, ...start },
    })
    assert.equal(stderr, '')
    assert.deepEqual(readdirSync(env.TMPDIR), [], 'something is left')
    assert.ok(!existsSync(root), 'looking makes no store')
    const checks: readonly Check[] = JSON.parse(stdout)
    return { checks: new Map(checks.map((check) => [check.subject, check])), status }
  }

  it('says what this machine allows root, by trying', async () => {
    const { checks, status } = await ask({})
    assert.equal(status, 0)
    assert.deepEqual(
      ['machine', 'namespaces', 'overlayfs', 'user ids', 'trial step'].map(
        (subject) => checks.get(subject)?.state,
      ),
      ['ok', 'ok', 'ok', 'ok', 'ok'],
    )
    const groups = checks.get('control groups')
    assert.match(groups?.detail ?? '', /^memory, cpu, cpuset, io, pids, devices: version /)
    const isOfFirst = existsSync('/sys/fs/cgroup/blkio')
    assert.equal(groups?.state, isOfFirst ? 'limited' : 'ok')
    assert.equal(/of io only what is read/.test(groups?.detail ?? ''), isOfFirst)
    for (const { subject, state, hint } of checks.values()) {
      assert.equal(state === 'ok', hint === undefined, `${subject}: what to do about it`)
    }
    assert.match(checks.get('runtimes')?.detail ?? '', /\/runc(,|$)/)
    const hasEmulators = existsSync('/proc/sys/fs/binfmt_misc/qemu-aarch64')
    assert.equal(checks.get('other platforms')?.state === 'ok', hasEmulators)
  })

  it('says it for an ordinary user, and for one without ids or groups', async () => {
    await using user = await createUser()
    using installed = await installedFor(user)
    const { checks } = await ask({ prefix: user.prefix, installed })
    const [namespaces, ids, trial] = ['namespaces', 'user ids', 'trial step'].map((subject) =>
      checks.get(subject),
    )
    assert.deepEqual([namespaces?.state, ids?.state], ['ok', 'ok'])
    assert.match(
      trial?.detail ?? '',
      /^(namespaces, mounts and rights work|nothing limits how many)/,
    )
    assert.match(checks.get('control groups')?.hint ?? '', /systemd-run --user/)
    const alone = ['setpriv', '--reuid=61234', '--regid=61234', '--clear-groups', '--']
    const single = (await ask({ prefix: alone, installed })).checks.get('user ids')
    assert.equal(single?.state, 'limited')
    assert.match(single.hint ?? '', /newuidmap|subuid/)
  })

  it('says why there are no namespaces, and that steps can run in place', async () => {
    const drop = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--']
    const { checks, status } = await ask({ prefix: drop })
    const { state, hint } = checks.get('namespaces') ?? {}
    assert.equal(state, 'limited')
    assert.match(hint ?? '', /SETGID, SETUID, SETFCAP/)
    assert.match(hint ?? '', /--isolation=in-place/)
    assert.ok(!checks.has('trial step'))
    assert.equal(status, 0)
  })

  it('shows proxies without passwords, and mirrors, with where they are set', async () => {
    const file = join(folder, 'home', '.config', 'tsbuild', 'config.toml')
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, '[registry-mirrors]\n"docker.io" = ["mirror.corp/hub"]\n')
    const { checks } = await ask({ env: { HTTPS_PROXY: 'http://me:s3cret@proxy.corp:3128' } })
    assert.equal(
      checks.get('proxies')?.detail,
      'HTTPS_PROXY: http://…@proxy.corp:3128 (HTTPS_PROXY)',
    )
    assert.match(checks.get('mirrors')?.detail ?? '', /docker\.io=mirror\.corp\/hub/)
    assert.ok(checks.get('mirrors')?.detail.includes(file))
  })

  it('is a table that ends with what to do', async () => {
    const { stdout, status } = await tsbuild(['doctor'], { root: join(folder, 'store') })
    assert.equal(status, 0)
    assert.match(stdout, /^STATE +SUBJECT +DETAIL\n/)
    assert.match(stdout, /^ok +namespaces +steps have their own$/m)
    assert.match(stdout, /^ +-> \S/m)
  })
})

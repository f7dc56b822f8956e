import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ProcessSpec } from '../../../../builder/sandbox/spec/process-spec.ts'
import {
  parseStatus,
  type SandboxFixture,
  type StepOverrides,
  upperOf,
} from '../../../suites/sandbox/fixture.ts'
import { untilEmpty } from '../../../support/peers/index.ts'
import { inProcessFixture } from '../support/fixture.ts'
import { addUser, removeUser } from '../support/ordinary-user.ts'

const BUILDER = fileURLToPath(new URL('../support/builder-process.js', import.meta.url))
const USER = `tsbuild-test-${process.pid}`
/** A uid without an entry in passwd and without subordinate ids. */
const STRANGER = 54_321

describe('sandbox: as an ordinary user', () => {
  let fixture: SandboxFixture
  let user: number

  before(() => {
    fixture = inProcessFixture()
    user = addUser(USER)
  })
  after(async () => {
    removeUser(USER)
    await fixture.close()
  })

  interface Run {
    readonly code: number | null
    readonly stdout: string
    readonly stderr: string
    readonly uppers: readonly string[]
  }

  function start(
    uid: number,
    specs: readonly ProcessSpec[],
  ): { readonly child: ChildProcess; readonly done: Promise<Run> } {
    spawnSync('chown', ['-R', '-h', `${uid}:${uid}`, fixture.directory])
    chmodSync(fixture.directory, 0o755)
    const document = JSON.stringify({ temporary: `${fixture.directory}/temporary`, specs })
    const child = spawn(process.execPath, [BUILDER, document], {
      uid,
      gid: uid,
      env: { HOME: '/nonexistent' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const text = { stdout: '', stderr: '' }
    child.stdout.on('data', (data) => {
      text.stdout += data
    })
    child.stderr.on('data', (data) => {
      text.stderr += data
    })
    const done = once(child, 'close').then(() => ({
      code: child.exitCode,
      ...text,
      uppers: specs.map(upperOf),
    }))
    return { child, done }
  }

  function run(script: string, overrides: StepOverrides = {}, uid = user): Promise<Run> {
    return start(uid, [fixture.spec(['sh', '-c', script], overrides)]).done
  }

  it('runs steps as root of a range of ids', async () => {
    const script = 'id -u; cat /proc/self/status; touch /x; chown 1000:2000 /x; rm /bin/wc; exit 3'
    const result = await run(script, { cwd: '/made/here' })
    assert.equal(result.code, 3, result.stderr)
    assert.match(result.stdout, /^0\n/)
    const status = parseStatus(result.stdout)
    const expected = ['00000000a80425fb', '00000000a80425fb', '0000000000000000', '2', '0']
    const keys = ['CapEff', 'CapBnd', 'CapInh', 'Seccomp', 'NoNewPrivs']
    assert.deepEqual(
      keys.map((key) => status.get(key)),
      expected,
    )
    const [upper = ''] = result.uppers
    assert.deepEqual(readdirSync(upper).sort(), ['bin', 'made', 'x'])
    assert.ok(lstatSync(`${upper}/x`).uid >= 100_000)
    assert.ok(lstatSync(`${upper}/bin/wc`).isCharacterDevice())
    assert.equal(lstatSync(`${upper}/made/here`).uid, user)
  })

  it('runs steps as users of the image, with their groups', async () => {
    const result = await run('id -u; grep Groups /proc/self/status; echo out > /dev/stdout', {
      user: 'app',
    })
    assert.deepEqual([result.code, result.stderr], [0, ''])
    assert.equal(result.stdout, '1000\nGroups:\t1001 2000 2001 \nout\n')
  })

  it('runs programs as pid 1', async () => {
    const script =
      'echo $$; grep -E "^(CapEff|Seccomp:|Uid)" /proc/self/status; cat /dev/zero | head -c 2 | wc -c'
    const asRoot = await run(script, { init: false })
    assert.equal(asRoot.stdout.split('\n')[0], '1', asRoot.stderr)
    assert.deepEqual(
      [asRoot.code, asRoot.stdout],
      [0, (await run(script)).stdout.replace(/^\d+/, '1')],
    )
    const asUser = await run('echo $$; id -u', { init: false, user: 'app' })
    assert.deepEqual([asUser.code, asUser.stdout], [0, '1\n1000\n'])
  })

  it('keeps devices, masks and read-only paths', async () => {
    const script =
      'stat -c %t:%T /dev/null; echo x > /dev/null; ls /dev/pts; echo x > /proc/sys/kernel/domainname; ls /sys/fs/cgroup; cat /proc/keys'
    const result = await run(script)
    assert.equal(result.stdout, '1:3\nptmx\n')
    assert.match(result.stderr, /Read-only file system/)
  })

  it('changes between networks from step to step', async () => {
    const networks = ['none', 'host', 'none', 'host'] as const
    const specs = networks.map((network) =>
      fixture.spec(['readlink', '/proc/self/ns/net'], { network }),
    )
    const { stdout, stderr } = await start(user, specs).done
    const seen = stdout.trim().split('\n')
    assert.equal(seen.length, 4, stderr)
    const host = readlinkSync('/proc/self/ns/net')
    assert.deepEqual(
      seen.map((link) => link === host),
      [false, true, false, true],
    )
  })

  it('leaves nothing when it is killed', async () => {
    const marker = `rootless-${process.pid}`
    const spec = fixture.spec(['sh', '-c', `echo started; sleep 1000; : ${marker}`])
    const { child, done } = start(user, [spec])
    if (child.stdout) await once(child.stdout, 'data')
    assert.ok(processesOf(user).length >= 3)
    child.kill('SIGKILL')
    await done
    // The kernel has killed all by now, but unshare(1) waits until init has released the step.
    assert.deepEqual(await untilEmpty(() => processesOf(user), 5000), [])
  })

  it('works with a single id, for steps that run as root', async () => {
    const result = await run('id -u; touch /x', {}, STRANGER)
    assert.deepEqual([result.code, result.stdout, result.stderr], [0, '0\n', ''])
    const other = await run('id -u', { user: 'app' }, STRANGER)
    assert.equal(other.code, 1)
    assert.match(other.stderr, /this user namespace lacks these ids/)
    assert.match(other.stderr, /uidmap/)
  })
})

/** Processes of a user that still have memory: not those that only wait to be released by init. */
function processesOf(uid: number): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      const status = parseStatus(readFileSync(`/proc/${name}/status`, 'utf8'))
      return status.get('Uid')?.startsWith(`${uid}\t`) && status.has('VmRSS')
    } catch {
      return false
    }
  })
}

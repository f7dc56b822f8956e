import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  parseStatus,
  type SandboxFixture,
  type StepOverrides,
  upperOf,
} from '../../../suites/sandbox/fixture.ts'
import { type ContainerOptions, inContainer } from '../../../support/peers/index.ts'
import { inProcessFixture } from '../support/fixture.ts'

const BUILDER = fileURLToPath(new URL('../support/builder-process.js', import.meta.url))
/** A user of the container without an entry in passwd. */
const STRANGER = 54_322

const SEES_ALL = /notice: steps see the processes of this container, and of each other/
const SHARES_NETWORK = /notice: steps share the network of this container/

describe('sandbox: in a container', () => {
  let fixture: SandboxFixture
  before(function () {
    if (process.getuid?.() !== 0) this.skip()
    fixture = inProcessFixture()
  })
  after(() => fixture?.close())

  interface Run {
    readonly code: number | null
    readonly stdout: string
    readonly stderr: string
    readonly uppers: readonly string[]
  }

  interface Container extends ContainerOptions {
    readonly more?: readonly string[]
  }

  /** Runs a script, and then others, as steps of a builder in a container. */
  function run(script: string, container: Container = {}, overrides: StepOverrides = {}): Run {
    const { uid = 0, more = [] } = container
    const specs = [script, ...more].map((one) => fixture.spec(['sh', '-c', one], overrides))
    spawnSync('chown', ['-R', '-h', `${uid}:${uid}`, fixture.directory])
    chmodSync(fixture.directory, 0o755)
    const temporary = `${fixture.directory}/temporary`
    const document = JSON.stringify({ temporary, specs, notices: true })
    const [program = '', ...args] = [
      ...inContainer(container),
      ...[process.execPath, BUILDER, document],
    ]
    const env = { PATH: process.env.PATH, HOME: '/nonexistent' }
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env })
    return { code: status, stdout, stderr, uppers: specs.map(upperOf) }
  }

  it('gives steps of root all ids that the container has, and the rights of any step', () => {
    const script =
      'id -u; cat /proc/self/uid_map; cat /proc/self/status; touch /x; chown 1000:2000 /x; rm /bin/wc; exit 3'
    const { code, stdout, stderr, uppers } = run(script)
    assert.equal(code, 3, stderr)
    assert.match(stdout, /^0\n +0 +0 +4294967295\n/)
    const status = parseStatus(stdout)
    const keys = ['CapEff', 'CapBnd', 'CapInh', 'Seccomp', 'NoNewPrivs']
    assert.deepEqual(
      keys.map((key) => status.get(key)),
      ['00000000a80425fb', '00000000a80425fb', '0000000000000000', '2', '0'],
    )
    const [upper = ''] = uppers
    assert.deepEqual(readdirSync(upper).sort(), ['bin', 'x'])
    assert.deepEqual([lstatSync(`${upper}/x`).uid, lstatSync(`${upper}/x`).gid], [1000, 2000])
    assert.ok(lstatSync(`${upper}/bin/wc`).isCharacterDevice())
  })

  it('runs steps as users of the image, and programs as pid 1', () => {
    const asUser = run('id -u; echo out > /dev/stdout', {}, { user: 'app' })
    assert.deepEqual([asUser.code, asUser.stdout], [0, '1000\nout\n'], asUser.stderr)
    const first = run('echo $$', {}, { init: false })
    assert.deepEqual([first.code, first.stdout], [0, '1\n'], first.stderr)
  })

  it('shows them the /proc of the container with what it hides, and says so once', () => {
    const script = 'wc -c < /proc/keys; echo x > /proc/sys/kernel/domainname'
    const { stdout, stderr } = run(script, { more: ['tr "\\0" " " < /proc/1/cmdline'] })
    assert.match(stdout, /^0\n.*builder-process\.js/)
    assert.match(stderr, /domainname: Read-only file system/)
    assert.equal(stderr.split(SEES_ALL).length, 2, stderr)
  })

  it('ends what they started, and keeps them out of other processes', () => {
    const { code, stdout, stderr } = run(
      'sleep 1000 & until grep -q ^sleep$ /proc/[0-9]*/comm; do true; done; echo started',
      {
        more: [
          'grep -l ^sleep$ /proc/[0-9]*/comm; echo searched; cat /proc/1/environ; ls /proc/1/root/',
        ],
      },
    )
    assert.equal(code, 1)
    assert.equal(stdout, 'started\nsearched\n', stderr)
    assert.match(stderr, /environ': Permission denied[\s\S]*root\/: Permission denied/)
  })

  it('gives them a network of their own when they ask for none', () => {
    const script = 'readlink /proc/self/ns/net; ifconfig'
    const { stdout, stderr } = run(script, {}, { network: 'none' })
    assert.match(stdout, /^net:\[\d+\]\nlo /, stderr)
    assert.equal(stdout.includes(readlinkSync('/proc/self/ns/net')), false)
    assert.doesNotMatch(stderr, SHARES_NETWORK)
  })

  it('gives steps of an ordinary user the one id', () => {
    const { code, stdout, stderr, uppers } = run('id -u; cat /proc/self/uid_map; touch /x', {
      uid: STRANGER,
    })
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^0\n +0 +54322 +1\n$/)
    assert.equal(lstatSync(`${uppers[0]}/x`).uid, STRANGER)
    assert.match(stderr, SEES_ALL)
  })

  it('gives them one id where root may not give them all', () => {
    const { code, stdout, stderr } = run('cat /proc/self/uid_map', { drop: ['setuid'] })
    assert.deepEqual([code, stdout.trim().split(/ +/)], [0, ['0', '0', '1']], stderr)
  })

  it('says what the kernel refuses, and what to do', () => {
    const without = run('id', { drop: ['setfcap'] })
    assert.equal(without.code, 1)
    assert.match(without.stderr, /steps need namespaces, .*: EPERM: .*, write 'uid_map'/)
    assert.match(without.stderr, /leave root the capability SETFCAP \(docker run --cap-add/)
    assert.match(without.stderr, /code: 'SANDBOX_UNAVAILABLE'/)
    const refused = run('id', { refusing: true })
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /steps need namespaces, .*: ENOSPC: .*, unshare/)
    assert.match(refused.stderr, /max_user_namespaces is 0/)
  })
})

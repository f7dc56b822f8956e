/** Networks of steps beside a world, a host and its servers, in the ways that root and ordinary users have. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { SandboxFixture } from '../../../suites/sandbox/fixture.ts'
import { processesOf } from '../../../suites/sandbox/host-processes.ts'
import { HOST, type Lab, startLab, WORLD } from '../../../support/networks/index.ts'
import { capture, untilEmpty } from '../../../support/peers/index.ts'
import { inProcessFixture } from '../support/fixture.ts'
import { buildInLab, type LabMachine } from '../support/lab-builder.ts'
import { addUser, removeUser } from '../support/ordinary-user.ts'

const USER = `tsbuild-net-${process.pid}`
const STUB = '127.0.0.53'
const LINK_LOCAL = '169.254.169.254'
/** Without a name server. */
const DEAD = HOST.version4

/** Says what answers at each address; the other end closes. An input that ends would close one half first. */
const REACH = `mkfifo /in; exec 3<>/in
reach() { for address in $*; do (echo "$address $(nc -w 1 $address 8080 2>/dev/null <&3)" > /$address) & done; wait; for address in $*; do cat /$address; done; }`

describe('networks of steps', () => {
  let lab: Lab
  let fixture: SandboxFixture
  before(async function () {
    this.timeout(60_000)
    lab = await startLab()
    fixture = inProcessFixture()
    addUser(USER)
    await Promise.all([
      lab.greet('host', '@of-the-host'),
      lab.greet('world'),
      lab.serveNames('world', WORLD.version4, WORLD.version4),
      lab.serveNames('world', LINK_LOCAL, '192.0.2.66'),
      lab.serveNames('host', STUB, '192.0.2.53'),
    ])
  })
  after(async () => {
    removeUser(USER)
    await fixture?.close()
    await lab?.[Symbol.asyncDispose]()
  })

  const resolvConf = `nameserver ${WORLD.version4}\nsearch corp.test\noptions ndots:2\n`
  const ways: Readonly<Record<string, LabMachine>> = {
    root: { resolvConf, without: ['slirp4netns', 'pasta'] },
    'an ordinary user, by slirp4netns': { resolvConf, user: USER, without: ['pasta'] },
    'an ordinary user, by pasta': { resolvConf, user: USER, without: ['slirp4netns'] },
  }
  for (const [name, machine] of Object.entries(ways)) {
    describe(`of ${name}`, () => {
      it('reach the world by address and name, and nothing of the host', async () => {
        const closed = ['127.0.0.1', HOST.version4, HOST.other, LINK_LOCAL]
        const script = `${REACH}
reach ${WORLD.version4} ${closed.join(' ')}
busybox nslookup known.test | grep '^Address: [0-9]'
grep -c of-the-host /proc/net/unix
cat /etc/resolv.conf`
        const { stdout, stderr, status } = await buildInLab(lab, fixture, script, { machine })
        assert.equal(status, 0, `${stdout}${stderr}`)
        assert.doesNotMatch(stderr, /share the network/)
        const lines = stdout.trimEnd().split('\n')
        assert.deepEqual(lines.slice(0, 7), [
          `${WORLD.version4} world`,
          ...closed.map((address) => `${address} `),
          `Address: ${WORLD.version4}`,
          '0',
        ])
        const [server, ...others] = lines.slice(7).filter((line) => !line.includes(':1::'))
        assert.match(server ?? '', /^nameserver 198\.18\.128\.1$/)
        assert.deepEqual(others, ['search corp.test', 'options ndots:2'])
      }).timeout(30_000)

      it('refuse connections at once, not after a while', async () => {
        const closed = [HOST.version4, LINK_LOCAL]
        const script = `for address in ${closed.join(' ')}; do nc -w 5 $address 8080 2>&1 < /dev/null; done; true`
        const { stdout, stderr } = await buildInLab(lab, fixture, script, { machine })
        assert.equal(stdout.match(/: Connection refused$/gm)?.length, 2, stdout + stderr)
      }).timeout(30_000)

      it('leave no process behind when their builder is killed', async () => {
        const early = { ...machine, endsEarly: true }
        const script = `echo started; sleep 1000; : ${USER}`
        const { stdout } = await buildInLab(lab, fixture, script, { machine: early })
        assert.equal(stdout, 'started\n')
        const left = (): readonly string[] => [
          ...processesOf(USER),
          ...programsIn(lab.path('host')),
        ]
        assert.deepEqual(await untilEmpty(left, 5000), [])
      })
    })
  }

  it('of the host, which has to be asked for, has all of that', async () => {
    const script = `${REACH}\nreach 127.0.0.1; grep -c of-the-host /proc/net/unix`
    const overrides = { network: 'host' } as const
    const machine = { resolvConf }
    const { stdout, stderr } = await buildInLab(lab, fixture, script, { machine, overrides })
    assert.match(stdout, /^127\.0\.0\.1 host\n[1-9]\d*\n$/, stderr)
  })

  describe('resolve names', () => {
    it('by the stub of the host, and past servers that are dead or on the link', async () => {
      const ask = "busybox nslookup known.test | grep '^Address: [0-9]'"
      const answers = async (user: string | undefined, ...servers: readonly string[]) => {
        const conf = servers.map((server) => `nameserver ${server}\n`).join('')
        const machine = { resolvConf: conf, ...(user === undefined ? {} : { user }) }
        const { stdout, stderr } = await buildInLab(lab, fixture, `${ask} || echo none`, {
          machine,
        })
        const isSaid = stderr.includes('steps find no names')
        return `${isSaid ? 'said: ' : ''}${stdout}`
      }
      assert.equal(await answers(USER, STUB), 'Address: 192.0.2.53\n')
      assert.equal(await answers(undefined, LINK_LOCAL, STUB), 'Address: 192.0.2.53\n')
      assert.equal(await answers(undefined, DEAD, WORLD.version4), `Address: ${WORLD.version4}\n`)
      assert.equal(await answers(undefined, LINK_LOCAL), 'said: none\n')
    }).timeout(40_000)

    it('for the C library of Debian, with answers that do not fit into a packet', async () => {
      const layer = fixture.layer()
      for (const path of await libraryFiles('/usr/bin/getent')) {
        mkdirSync(dirname(`${layer}${path}`), { recursive: true })
        copyFileSync(path, `${layer}${path}`)
      }
      mkdirSync(`${layer}/etc`)
      writeFileSync(`${layer}/etc/nsswitch.conf`, 'hosts: files dns\n')
      const script =
        '/usr/bin/getent ahostsv4 known.test; /usr/bin/getent ahostsv4 many.test | grep -c RAW'
      const overrides = { layer }
      const machine = { resolvConf }
      const { stdout, stderr } = await buildInLab(lab, fixture, script, { machine, overrides })
      assert.match(stdout, new RegExp(`^${WORLD.version4} +STREAM known.test\n`), stderr)
      assert.match(stdout, /^60$/m)
    })
  })

  describe('that cannot be isolated', () => {
    const machine: LabMachine = { resolvConf, user: USER, without: ['slirp4netns', 'pasta'] }
    const script = `${REACH}\nreach 127.0.0.1`

    it('are those of the host, which is said with the package to install', async () => {
      const { stdout, stderr } = await buildInLab(lab, fixture, script, { machine })
      assert.equal(stdout, '127.0.0.1 host\n', stderr)
      assert.equal(stderr.match(/notice: steps share the network of this machine/g)?.length, 1)
      assert.match(stderr, /install the package slirp4netns \(or passt\)/)
      const closed = { ...machine, without: [], tunnelMode: '600' }
      const other = await buildInLab(lab, fixture, 'true', { machine: closed })
      assert.match(other.stderr, /\/dev\/net\/tun cannot be opened/)
    })

    it('are refused with strict, where others are not', async () => {
      const strict = await buildInLab(lab, fixture, script, {
        machine: { ...machine, isStrict: true },
      })
      assert.notEqual(strict.status, 0)
      assert.equal(strict.stdout, '')
      assert.match(strict.stderr, /strict allows no step here: steps share the network/)
      const own = await buildInLab(lab, fixture, script, {
        machine: { resolvConf, isStrict: true },
      })
      assert.deepEqual([own.status, own.stdout], [0, '127.0.0.1 \n'], own.stderr)
    })
  })
})

/** Programs that connect networks, started in this one. */
function programsIn(network: string): readonly string[] {
  const inode = statSync(network).ino
  return [...processesOf('slirp4netns'), ...processesOf('pasta')].filter((pid) => {
    return statSync(`/proc/${pid}/ns/net`, { throwIfNoEntry: false })?.ino === inode
  })
}

/** A program with its libraries and its loader. */
async function libraryFiles(program: string): Promise<readonly string[]> {
  const { stdout } = await capture('ldd', [program])
  return [program, ...[...stdout.matchAll(/(\/\S+) \(0x/g)].flatMap(([, path]) => path ?? [])]
}

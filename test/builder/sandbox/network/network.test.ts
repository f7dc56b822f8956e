import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { SandboxFixture } from '../../../suites/sandbox/fixture.ts'
import { inProcessFixture } from '../support/fixture.ts'

describe('sandbox: networks', () => {
  let fixture: SandboxFixture
  let server: Server
  let port: number
  let abstract: Server

  before(async () => {
    assert.ok(existsSync('/usr/bin/slirp4netns'), 'these tests need the package slirp4netns')
    fixture = inProcessFixture()
    server = createServer((socket) => socket.end('hello\n'))
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
    port = (server.address() as AddressInfo).port
    abstract = createServer((socket) => socket.end('abstract\n'))
    await new Promise<void>((resolve) => abstract.listen(`\0tsbuild-${process.pid}`, resolve))
  })
  after(async () => {
    server.close()
    abstract.close()
    await fixture.close()
  })

  const connect = (address: string): string =>
    `nc -w 2 ${address} ${port} < /dev/null || echo failed`

  it('has only loopback with none, and it is up', async () => {
    const text = await fixture.sh(
      `ls /sys/class/net; ${connect('127.0.0.1')}; ping -c1 127.0.0.1`,
      {
        network: 'none',
      },
    )
    assert.match(text, /^lo\nfailed\n/)
    assert.match(text, /1 packets received/)
  })

  it('is that of the host with host', async () => {
    assert.equal(await fixture.sh(connect('127.0.0.1'), { network: 'host' }), 'hello\n')
    const own = await fixture.sh('cat /etc/resolv.conf', { network: 'host' })
    assert.match(own, /nameserver/)
  })

  it('reaches the world by default, but not the loopback of the host', async () => {
    const [address] = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
    assert.ok(address, 'these tests need an IPv4 address that is not loopback')
    const overrides = { network: 'default' } as const
    assert.equal(await fixture.sh(connect(address.address), overrides), 'hello\n')
    for (const host of ['127.0.0.1', '10.0.2.2']) {
      assert.equal(await fixture.sh(connect(host), overrides), 'failed\n', host)
    }
    const sockets = await fixture.sh('cat /proc/net/unix', overrides)
    assert.doesNotMatch(sockets, /tsbuild-/)
    assert.doesNotMatch(await fixture.sh('cat /etc/resolv.conf', overrides), /nameserver 127/)
  })

  it('gives steps that run at the same time different networks, and uses them again', async () => {
    const overrides = { network: 'default' } as const
    const link = 'readlink /proc/self/ns/net; sleep 0.1'
    const both = await Promise.all([fixture.sh(link, overrides), fixture.sh(link, overrides)])
    assert.notEqual(both[0], both[1])
    assert.ok(both.includes(await fixture.sh(link, overrides)))
  })

  it('needs no rights in the network', async () => {
    const { stderr } = await fixture.run(['ifconfig', 'tap0', 'down'], { network: 'default' })
    assert.match(stderr, /not permitted/)
  })

  it('leaves no helper behind', async () => {
    const before = helpers()
    const other = inProcessFixture()
    await other.run(['true'], { network: 'default' })
    assert.equal(helpers().length, before.length + 1)
    await other.close()
    assert.deepEqual(helpers(), before)
  })
})

/** Children of this process that connect networks. */
function helpers(): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8')
      return /^Name:\tslirp4netns$/m.test(status) && status.includes(`\nPPid:\t${process.pid}\n`)
    } catch {
      return false
    }
  })
}

import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { needsOwnNetwork, type OpenSandbox, SandboxFixture } from './fixture.ts'

/** The networks of steps. */
export function networkSuite(open: OpenSandbox): void {
  describe('the network', () => {
    let fixture: SandboxFixture
    let server: Server
    let port: number
    let abstract: Server

    before(async () => {
      fixture = new SandboxFixture(open)
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
      const script = `ls /sys/class/net; ${connect('127.0.0.1')}; ping -c1 127.0.0.1`
      const text = await fixture.sh(script, { network: 'none' })
      assert.match(text, /^lo\nfailed\n/)
      assert.match(text, /1 packets received/)
    })

    it('is that of the host with host', async () => {
      assert.equal(await fixture.sh(connect('127.0.0.1'), { network: 'host' }), 'hello\n')
      const own = await fixture.sh('cat /etc/resolv.conf', { network: 'host' })
      assert.match(own, /nameserver/)
    })

    it('does not reach the loopback of the host by default', async function () {
      needsOwnNetwork(this)
      const overrides = { network: 'default' } as const
      assert.equal(await fixture.sh(connect('127.0.0.1'), overrides), 'failed\n')
      const sockets = await fixture.sh('cat /proc/net/unix', overrides)
      assert.doesNotMatch(sockets, /tsbuild-/)
      const own = await fixture.sh('cat /etc/resolv.conf', overrides)
      assert.match(own, /^nameserver /)
      assert.doesNotMatch(own, /nameserver (127|::1|169\.254)/)
    })

    it('is different for steps that run at the same time', async function () {
      needsOwnNetwork(this)
      const overrides = { network: 'default' } as const
      const link = 'readlink /proc/self/ns/net; sleep 0.1'
      const both = await Promise.all([fixture.sh(link, overrides), fixture.sh(link, overrides)])
      assert.notEqual(both[0], both[1])
    })

    it('cannot be changed by a step', async () => {
      const script = 'ifconfig $(ls /sys/class/net | grep -v "^lo$" | head -n 1) down'
      const { stderr } = await fixture.run(['sh', '-c', script], { network: 'default' })
      assert.match(stderr, /not permitted/)
    })
  })
}

import assert from 'node:assert/strict'
import { HOST, type LabHost, WORLD } from '../../../support/networks/index.ts'
import { ContainerLab, type LabContainer } from '../support/container-lab.ts'
import { HubLab } from '../support/hub-lab.ts'
import { TCP_CLIENT, TCP_SERVER, UDP_CLIENT, UDP_SERVER } from '../support/port-witness.ts'

const WEB = { version4: '172.30.0.2', version6: 'fd00:30::2' }

describe('network: published ports', () => {
  let hubs: HubLab
  let containers: ContainerLab
  let web: LabContainer
  let client: LabContainer
  before(async () => {
    hubs = await HubLab.start()
    containers = await ContainerLab.start(hubs.lab)
    await containers.network('one', ['172.30.0.0/16', 'fd00:30::/64'])
    await containers.network('two', ['172.31.0.0/16'])
    web = await containers.container('web', 'one', WEB)
    client = await containers.container('client', 'one', { version4: '172.30.0.3' })
    const server = (program: string, ...words: readonly string[]): Promise<AsyncDisposable> =>
      hubs.lab.start(web, ['python3', '-c', program, ...words])
    await server(TCP_SERVER, '80')
    await server(TCP_SERVER, '86', 'version6')
    await server(UDP_SERVER, '53')
  })
  after(async () => {
    await containers[Symbol.asyncDispose]()
    await hubs[Symbol.asyncDispose]()
  })
  afterEach(() => containers.ask({ ask: 'unpublish', place: 'web' }).catch(() => undefined))

  const tcp = async (from: LabHost, address: string, port: number, size = 3): Promise<string> => {
    const words = ['python3', '-c', TCP_CLIENT, address, `${port}`, `${size}`]
    const { status, stdout, stderr } = await hubs.lab.on(from, words)
    return status === 0 ? stdout.trim() : `failed: ${stderr.trim().split('\n').at(-1)}`
  }
  const udp = async (from: LabHost, address: string, port: number): Promise<string> =>
    await hubs.lab.must(from, ['python3', '-c', UDP_CLIENT, address, `${port}`])

  it('are reached from the world with the address of the client', async () => {
    const published = await containers.publish('web', ['tcp', 80, 8000], WEB)
    assert.deepEqual(published, [
      { protocol: 'tcp', port: 80, hostAddress: '0.0.0.0', hostPort: 8000 },
      { protocol: 'tcp', port: 80, hostAddress: '::', hostPort: 8000 },
    ])
    assert.equal(await tcp('world', HOST.version4, 8000), `${WORLD.version4} said 3`)
    assert.equal(await tcp('world', HOST.other, 8000, 5e6), `${WORLD.version4} said 5000000`)
    await containers.ask({ ask: 'unpublish', place: 'web' })
    assert.match(await tcp('world', HOST.version4, 8000), /^failed: .*refused/)
    await containers.publish('web', ['tcp', 86, 8006], WEB)
    assert.equal(await tcp('world', HOST.version6, 8006), `${WORLD.version6} said 3`)
  })

  it('are reached by the host, by loopback too, and end each direction by itself', async () => {
    await containers.publish('web', ['tcp', 80, 8000], WEB)
    assert.equal(await tcp('host', HOST.version4, 8000), `${HOST.version4} said 3`)
    assert.equal(await tcp('host', '127.0.0.1', 8000, 7e6), '172.30.0.1 said 7000000')
    // An address of version 6 may lead to a container that listens on version 4 only.
    await containers.ask({ ask: 'unpublish', place: 'web' })
    await containers.publish('web', ['tcp', 80, 8000], { version4: WEB.version4 })
    assert.equal(await tcp('host', '::1', 8000), '172.30.0.1 said 3')
    assert.equal(await tcp('world', HOST.version6, 8000), '172.30.0.1 said 3')
    await containers.ask({ ask: 'unpublish', place: 'web' })
    await containers.publish('web', ['tcp', 81, 8000], WEB)
    assert.match(await tcp('host', '127.0.0.1', 8000), /^failed: .*reset/i)
  })

  it('are reached by containers over addresses of the host, their own included', async () => {
    await containers.publish('web', ['tcp', 80, 8000], WEB)
    const other = await containers.container('other', 'two', { version4: '172.31.0.2' })
    for (const from of [client, web, other]) {
      for (const address of [HOST.version4, '172.30.0.1']) {
        assert.match(await tcp(from, address, 8000), /^172\.30\.0\.1 said 3$/, address)
      }
    }
    await containers.ask({ ask: 'release', place: 'other' })
  })

  it('pass datagrams on, and their answers to who asked', async () => {
    await containers.publish('web', ['udp', 53, 5353], WEB)
    const said = (address: string): string =>
      ['1 a', '2 a', '1 b', '2 b'].map((text) => `${address} ${text}\n`).join('')
    assert.equal(await udp('world', HOST.version4, 5353), said(WORLD.version4))
    assert.equal(await udp('host', '127.0.0.1', 5353), said('172.30.0.1'))
    assert.equal(await udp(client, HOST.version4, 5353), said('172.30.0.1'))
    await containers.ask({ ask: 'unpublish', place: 'web' })
    await containers.publish('web', ['udp', 53, 5353], { version4: WEB.version4 })
    assert.equal(await udp('host', '::1', 5353), said('172.30.0.1'))
  })

  it('lead to another container at once for who goes on sending datagrams', async () => {
    const words = ['python3', '-c', UDP_CLIENT, HOST.version4, '5354', '7777']
    const second = await containers.container('second', 'one', { version4: '172.30.0.4' })
    await hubs.lab.start(second, ['python3', '-c', UDP_SERVER, '53', 'second '])
    await containers.publish('web', ['udp', 53, 5354], { version4: WEB.version4 })
    assert.match(await hubs.lab.must('world', words), /^203\.0\.113\.1 1 a$/m)
    await containers.ask({ ask: 'unpublish', place: 'web' })
    await containers.publish('second', ['udp', 53, 5354], { version4: '172.30.0.4' })
    assert.match(await hubs.lab.must('world', words), /^second 203\.0\.113\.1 1 a$/m)
    await containers.ask({ ask: 'release', place: 'second' })
  })

  it('of two containers may have one number by other protocols, and end each by itself', async () => {
    const second = await containers.container('second', 'one', { version4: '172.30.0.4' })
    await hubs.lab.start(second, ['python3', '-c', TCP_SERVER, '80'])
    await containers.publish('web', ['udp', 53, 5353], { version4: WEB.version4 })
    await containers.publish('second', ['tcp', 80, 5353], { version4: '172.30.0.4' })
    const datagrams = ['1 a', '2 a', '1 b', '2 b'].map((text) => `${WORLD.version4} ${text}\n`)
    assert.equal(await tcp('world', HOST.version4, 5353), `${WORLD.version4} said 3`)
    assert.equal(await udp('world', HOST.version4, 5353), datagrams.join(''))
    await containers.ask({ ask: 'release', place: 'second' })
    assert.match(await tcp('world', HOST.version4, 5353), /^failed/)
    assert.equal(await udp('world', HOST.version4, 5353), datagrams.join(''))
  })

  it('may be of one address of the host', async () => {
    await containers.publish('web', ['tcp', 80, 8000, '127.0.0.1'], WEB)
    assert.equal(await tcp('host', '127.0.0.1', 8000), '172.30.0.1 said 3')
    assert.match(await tcp('world', HOST.version4, 8000), /^failed/)
    await containers.ask({ ask: 'unpublish', place: 'web' })
    await containers.publish('web', ['tcp', 80, 8000, HOST.other], WEB)
    assert.equal(await tcp('world', HOST.other, 8000), `${WORLD.version4} said 3`)
    assert.match(await tcp('world', HOST.version4, 8000), /^failed/)
    await containers.ask({ ask: 'unpublish', place: 'web' })
    await assert.rejects(containers.publish('web', ['tcp', 80, 8000, '192.0.2.99'], WEB), {
      message: 'failed to bind host port 192.0.2.99:8000/tcp: cannot assign requested address',
    })
  })

  it('are the host’s: what is taken is said in docker’s words', async () => {
    await containers.publish('web', ['tcp', 80, 8000], WEB)
    const again = (port: number, address = ''): Promise<unknown> =>
      containers.publish('client', ['tcp', 80, port, address], { version4: '172.30.0.3' })
    await assert.rejects(again(8000), {
      message: 'Bind for 0.0.0.0:8000 failed: port is already allocated',
    })
    await assert.rejects(again(8000, '127.0.0.1'), {
      message: 'Bind for 127.0.0.1:8000 failed: port is already allocated',
    })
    // The greeter of the lab's host has it.
    await assert.rejects(again(8080), {
      message: 'failed to bind host port 0.0.0.0:8080/tcp: address already in use',
    })
    const listen = 'import socket; s = socket.socket(); s.bind(("", 8000))'
    const { stderr } = await hubs.lab.on('host', ['python3', '-c', listen])
    assert.match(stderr, /Address already in use/)
    // Nothing is left of what failed.
    await again(8001)
    await containers.ask({ ask: 'unpublish', place: 'client' })
  })

  it('are chosen from a range, or from what the host has left', async () => {
    const publish = async (hostPorts: readonly [number, number] | undefined): Promise<number> => {
      const bindings = [{ protocol: 'tcp', port: 80, hostAddress: '', hostPorts } as const]
      const found = await containers.ask({
        ...{ ask: 'publish', place: 'web', bindings, target: WEB },
      })
      const [first, second] = found as readonly { readonly hostPort: number }[]
      assert.equal(first?.hostPort, second?.hostPort)
      return first?.hostPort ?? 0
    }
    assert.equal(await publish([8079, 8082]), 8079)
    assert.equal(await publish([8079, 8082]), 8081)
    assert.equal(await publish([8079, 8082]), 8082)
    await assert.rejects(publish([8079, 8082]), /port is already allocated$/)
    const [first = 0] = (
      await hubs.lab.must('host', [...['cat', '/proc/sys/net/ipv4/ip_local_port_range']])
    )
      .split(/\s+/)
      .map(Number)
    const chosen = [await publish(undefined), await publish(undefined)]
    assert.deepEqual(chosen, [first, first + 1])
    assert.equal(await tcp('world', HOST.version4, first + 1), `${WORLD.version4} said 3`)
  })
})

import assert from 'node:assert/strict'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Dialer } from '../../../../builder/network/ports/dial.ts'
import { TcpProxy } from '../../../../builder/network/ports/tcp-proxy.ts'
import { UdpProxy } from '../../../../builder/network/ports/udp-proxy.ts'

/** Reaches what listens on loopback of this machine, and counts the sockets that it has made. */
class LoopbackDialer implements Dialer {
  readonly udp: UdpSocket[] = []

  async connect({ address, port }: { address: string; port: number }): Promise<Socket> {
    return await Promise.resolve(connect({ host: address, port, allowHalfOpen: true }))
  }

  async openUdp(): Promise<UdpSocket> {
    const socket = createSocket('udp4')
    this.udp.push(socket)
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return socket
  }
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

describe('network: what passes ports on', () => {
  it('ends each direction by itself, whoever ends first', async () => {
    const heard: string[] = []
    const server = createServer({ allowHalfOpen: true }, async (socket) => {
      socket.end('from the server')
      heard.push(Buffer.concat(await socket.toArray()).toString())
    })
    const target = { address: '127.0.0.1', port: await listening(server) }
    await using proxy = new TcpProxy(new LoopbackDialer(), target)
    const port = await listening(proxy.server)
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const said = Buffer.concat(await client.toArray()).toString()
    assert.equal(said, 'from the server')
    client.end('after the end of the server')
    await once(client, 'close')
    while (heard.length === 0) await delay(5)
    assert.deepEqual(heard, ['after the end of the server'])
    server.close()
  })

  it('resets who connects to what nothing listens on, or is reset', async () => {
    const server = createServer((socket) => socket.resetAndDestroy())
    const port = await listening(server)
    for (const wanted of [port, 1]) {
      await using proxy = new TcpProxy(new LoopbackDialer(), { address: '127.0.0.1', port: wanted })
      const client = connect(await listening(proxy.server), '127.0.0.1')
      client.write('hello')
      const [failure] = await once(client, 'error')
      assert.equal(failure.code, 'ECONNRESET')
    }
    server.close()
  })

  it('ends its connections when it ends', async () => {
    const server = createServer(() => undefined)
    const target = { address: '127.0.0.1', port: await listening(server) }
    const proxy = new TcpProxy(new LoopbackDialer(), target)
    const client = connect(await listening(proxy.server), '127.0.0.1')
    client.on('error', () => undefined)
    await once(server, 'connection')
    await proxy[Symbol.asyncDispose]()
    await once(client, 'close')
    server.close()
  })

  it('forgets clients that send nothing for a while, and the first of too many', async () => {
    const echo = createSocket('udp4')
    echo.on('message', (message, { port, address }) => echo.send(message, port, address))
    echo.bind(0, '127.0.0.1')
    await once(echo, 'listening')
    const dialer = new LoopbackDialer()
    const target = { address: '127.0.0.1', port: echo.address().port }
    await using proxy = new UdpProxy('127.0.0.1', { dialer, target, idle: 150, most: 3 })
    proxy.socket.bind(0, '127.0.0.1')
    await once(proxy.socket, 'listening')
    const { port } = proxy.socket.address()
    const clients = Array.from({ length: 5 }, () => createSocket('udp4'))
    const exchange = async (client: UdpSocket | undefined, text: string): Promise<string> => {
      const answer = client && once(client, 'message')
      client?.send(text, port, '127.0.0.1')
      const [message] = (await answer) ?? ['']
      return String(message)
    }
    const [first, second] = clients
    assert.equal(await exchange(first, 'one'), 'one')
    assert.equal(await exchange(first, 'two'), 'two')
    assert.equal(dialer.udp.length, 1)
    for (const client of clients.slice(1)) assert.equal(await exchange(client, 'hello'), 'hello')
    assert.equal(dialer.udp.length, 5)
    assert.equal(await exchange(first, 'again'), 'again')
    assert.equal(dialer.udp.length, 6)
    await delay(400)
    assert.equal(await exchange(second, 'late'), 'late')
    assert.equal(dialer.udp.length, 7)
    const open = dialer.udp.filter((socket) => isOpen(socket))
    assert.equal(open.length, 1)
    for (const client of clients) client.close()
    echo.close()
  })
})

function isOpen(socket: UdpSocket): boolean {
  try {
    socket.address()
    return true
  } catch {
    return false
  }
}

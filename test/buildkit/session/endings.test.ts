import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../../support/peers/index.ts'
import { failureOf } from './support/failure-of.ts'
import { type PeerMethods, startPeer, unary } from './support/grpc-peer.ts'
import { TUNNELS } from './support/tunnel.ts'

const QUIET = { interval: 60_000, timeout: 60_000 }

/** Methods that do nothing by themselves, and what became of their calls. */
function silent(): { readonly methods: PeerMethods; readonly calls: string[] } {
  const calls: string[] = []
  const methods: PeerMethods = {
    '/a.A/Silent': (call) => {
      calls.push('begun')
      call.on('error', () => undefined)
      call.on('cancelled', () => calls.push('cancelled'))
    },
    '/a.A/Echo': unary((request) => request),
  }
  return { methods, calls }
}

async function readAll(messages: AsyncIterable<Buffer>): Promise<number> {
  let count = 0
  for await (const _ of messages) count++
  return count
}

for (const [name, open] of TUNNELS) {
  describe(`session: the end of calls over ${name}`, () => {
    it('comes with an abort, of calls and of streams', async () => {
      const { methods, calls } = silent()
      await using peer = await startPeer(methods, { open, times: QUIET })
      const stop = new AbortController()
      const { signal } = stop
      const call = peer.session.call('/a.A/Silent', Buffer.alloc(1), { signal })
      const stream = peer.session.open('/a.A/Silent', { signal })
      await stream.send(Buffer.alloc(1))
      const reading = readAll(stream.messages)
      await until(() => calls.length === 2)
      stop.abort()
      for (const failure of [await failureOf(call), await failureOf(reading)]) {
        assert.deepEqual([failure.status, failure.code], ['CANCELLED', 'CANCELLED'])
      }
      assert.equal((await failureOf(stream.send(Buffer.alloc(1)))).code, 'CANCELLED')
      await until(() => calls.filter((what) => what === 'cancelled').length === 2)
      await until(() => getEventListeners(signal, 'abort').length === 0)
      const late = await failureOf(peer.session.call('/a.A/Echo', Buffer.alloc(1), { signal }))
      assert.equal(late.code, 'CANCELLED')
      assert.equal((await peer.session.call('/a.A/Echo', Buffer.from('x'))).toString(), 'x')
    })

    it('leaves nothing of a call with its signal', async () => {
      await using peer = await startPeer(silent().methods, { open, times: QUIET })
      const { signal } = new AbortController()
      await peer.session.call('/a.A/Echo', Buffer.from('x'), { signal })
      const missing = peer.session.call('/a.A/Missing', Buffer.from('x'), { signal })
      assert.equal((await failureOf(missing)).status, 'UNIMPLEMENTED')
      await until(() => getEventListeners(signal, 'abort').length === 0)
    })

    it('comes with a time that is over', async () => {
      const { methods, calls } = silent()
      await using peer = await startPeer(methods, { open, times: QUIET })
      const call = peer.session.call('/a.A/Silent', Buffer.alloc(1), { timeout: 100 })
      assert.equal((await failureOf(call)).status, 'DEADLINE_EXCEEDED')
      await until(() => calls.includes('cancelled'))
      const quick = peer.session.call('/a.A/Echo', Buffer.from('x'), { timeout: 10_000 })
      assert.equal((await quick).toString(), 'x')
    })

    it('comes when a stream is left early', async () => {
      const ended: string[] = []
      await using peer = await startPeer(
        {
          '/a.A/Endless': (call) => {
            const timer = setInterval(() => call.write(Buffer.alloc(1000)), 1)
            call.on('error', () => undefined)
            call.on('cancelled', () => {
              clearInterval(timer)
              ended.push('cancelled')
            })
          },
        },
        { open, times: QUIET },
      )
      for await (const message of peer.session.open('/a.A/Endless').messages) {
        assert.equal(message.length, 1000)
        break
      }
      await until(() => ended.length === 1)
    })

    it('comes to a sender when the client has answered', async () => {
      await using peer = await startPeer(
        {
          '/a.A/Refuse': (call) => {
            call.once('data', () => {
              call.pause()
              call.emit('error', Object.assign(new Error('full'), { code: 2, details: 'full' }))
            })
          },
        },
        { open, times: QUIET },
      )
      const stream = peer.session.open('/a.A/Refuse')
      const reading = failureOf(readAll(stream.messages))
      const sending = failureOf(
        (async () => {
          for (;;) await stream.send(Buffer.alloc(100_000))
        })(),
      )
      assert.equal((await sending).message, 'full')
      assert.equal((await reading).message, 'full')
    })

    it('does not come while the client takes its time, which holds the sender back', async () => {
      let taken = 0
      await using peer = await startPeer(
        {
          '/a.A/Slow': (call) => {
            call.on('error', () => undefined)
            call.on('data', (message: Buffer) => {
              taken += message.length
              call.pause()
              setTimeout(() => call.resume(), 5)
            })
            call.on('end', () => call.end())
          },
        },
        { open, times: QUIET },
      )
      const stream = peer.session.open('/a.A/Slow')
      let ahead = 0
      for (let sent = 0; sent < 50_000_000; sent += 500_000) {
        await stream.send(Buffer.alloc(500_000))
        ahead = Math.max(ahead, sent - taken)
      }
      stream.end()
      assert.equal(await readAll(stream.messages), 0)
      assert.equal(taken, 50_000_000)
      assert.ok(ahead < 16_000_000, `${ahead} bytes`)
    })

    it('does not come while nobody reads, which holds the client back', async () => {
      let given = 0
      await using peer = await startPeer(
        {
          '/a.A/Much': (call) => {
            call.on('error', () => undefined)
            const give = (): void => {
              if (given === 50_000_000) return void call.end()
              given += 500_000
              call.write(Buffer.alloc(500_000), give)
            }
            give()
          },
        },
        { open, times: QUIET },
      )
      const { messages } = peer.session.open('/a.A/Much')
      await delay(300)
      const early = given
      assert.ok(early > 0 && early < 3_000_000, `${early} bytes`)
      assert.equal(await readAll(messages), 100)
    })

    for (const side of ['client', 'daemon'] as const) {
      it(`comes to everything when the ${side} closes`, async () => {
        const { methods, calls } = silent()
        await using peer = await startPeer(methods, { open, times: QUIET })
        const { session, tunnel } = peer
        const streams = Array.from({ length: 20 }, () => session.open('/a.A/Silent'))
        const work = streams.map((stream) => failureOf(readAll(stream.messages)))
        work.push(failureOf(session.call('/a.A/Silent', Buffer.alloc(10))))
        const [blocked] = streams
        if (blocked === undefined) assert.fail()
        const sending = failureOf(
          (async () => {
            for (;;) await blocked.send(Buffer.alloc(100_000))
          })(),
        )
        await until(() => calls.length === 21)
        if (side === 'client') tunnel.client.destroy()
        else session.close()
        for (const failure of await Promise.all([...work, sending])) {
          assert.equal(failure.status, 'UNAVAILABLE')
        }
        assert.equal(session.closed.aborted, true)
        await until(() => tunnel.daemon.destroyed)
        assert.equal(
          (await failureOf(session.call('/a.A/Echo', Buffer.alloc(1)))).code,
          'PEER_GONE',
        )
        assert.throws(() => session.open('/a.A/Echo'), { status: 'UNAVAILABLE' })
        if (!tunnel.client.destroyed) await once(tunnel.client, 'close')
      })
    }
  })
}

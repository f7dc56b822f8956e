import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Session } from '#buildkit/session'
import { until } from '../../support/peers/index.ts'
import { seededRandom } from '../../support/random/index.ts'
import { type PeerMethods, startPeer, unary } from './support/grpc-peer.ts'
import { TUNNELS } from './support/tunnel.ts'

const WORK: PeerMethods = {
  '/a.A/Echo': unary((request) => request),
  '/a.A/Both': (call) => {
    call.on('error', () => undefined)
    call.on('data', (message: Buffer) => call.write(message))
    call.on('end', () => call.end())
  },
}

/** Calls of each kind at once; how each ends. */
async function work(session: Session): Promise<readonly string[]> {
  const both = async (): Promise<void> => {
    const stream = session.open('/a.A/Both')
    const sending = (async () => {
      for (let index = 0; index < 20; index++) await stream.send(Buffer.alloc(20_000))
      stream.end()
    })()
    const reading = (async () => {
      for await (const _ of stream.messages);
    })()
    const [sent, read] = await Promise.allSettled([sending, reading])
    if (sent.status === 'rejected') throw sent.reason
    if (read.status === 'rejected') throw read.reason
  }
  const echo = async (): Promise<void> => {
    for (let index = 0; index < 5; index++) await session.call('/a.A/Echo', Buffer.alloc(20_000))
  }
  const outcomes = await Promise.allSettled([both(), echo(), both(), echo()])
  return outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? 'done' : outcome.reason.status,
  )
}

for (const [name, open] of TUNNELS) {
  describe(`session: a client that vanishes from ${name}`, () => {
    it('is missed at any point, and leaves nothing', async () => {
      const unhandled: unknown[] = []
      const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
      process.on('unhandledRejection', onUnhandled)
      const before = process.getActiveResourcesInfo().length
      const random = seededRandom(7)
      let cut = 0
      for (let point = 0; point < 50; point++) {
        const left = Math.floor(random() * 1_200_000 * random())
        const way = random() < 0.5 ? ('reads' as const) : ('writes' as const)
        await using peer = await startPeer(WORK, { open })
        const { client } = peer.tunnel
        const watch = setInterval(() => {
          const { bytesRead, bytesWritten } = client
          if ((way === 'reads' ? bytesRead : bytesWritten) > left) client.destroy()
        }, 0)
        const outcomes = await work(peer.session)
        clearInterval(watch)
        if (outcomes.some((outcome) => outcome !== 'done')) cut++
        assert.deepEqual(
          outcomes.filter((one) => one !== 'done' && one !== 'UNAVAILABLE'),
          [],
        )
        peer.session.close()
        await until(() => peer.tunnel.daemon.destroyed)
      }
      await delay(100)
      process.off('unhandledRejection', onUnhandled)
      assert.deepEqual(unhandled, [])
      assert.ok(cut > 20 && cut < 50, `${cut} of 50 were cut`)
      assert.ok(process.getActiveResourcesInfo().length <= before + 2)
    })
  })
}

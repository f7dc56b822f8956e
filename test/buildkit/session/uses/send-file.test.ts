import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { BYTES_MESSAGE } from '#buildkit/messages'
import { sendFile } from '#buildkit/session'
import { failure, type PeerMethods, startPeer } from '../support/grpc-peer.ts'

const DIFF_COPY = '/moby.filesync.v1.FileSend/DiffCopy'

interface Received {
  bytes: number
  messages: number
  metadata: unknown
  ended: string
}

/** A client that takes a file, until it has had so many messages. */
function taker({ refuseAt = Number.POSITIVE_INFINITY, slow = 0 } = {}): {
  readonly methods: PeerMethods
  readonly received: Received
} {
  const received: Received = { bytes: 0, messages: 0, metadata: undefined, ended: '' }
  const methods: PeerMethods = {
    [DIFF_COPY]: (call) => {
      received.metadata = call.metadata.getMap()
      call.on('error', () => undefined)
      call.on('cancelled', () => {
        received.ended ||= 'cancelled'
      })
      if (refuseAt === 0) return void call.emit('error', failure(6, 'target already exists'))
      call.on('data', (message: Buffer) => {
        received.bytes += BYTES_MESSAGE.decode(message).data.length
        received.messages++
        if (received.messages === refuseAt)
          call.emit('error', failure(2, 'no space left on device'))
        if (slow > 0) {
          call.pause()
          setTimeout(() => call.resume(), slow)
        }
      })
      call.on('end', () => {
        // What was cut off ends here, too, and is known to be that a little later.
        setTimeout(() => {
          received.ended ||= 'ended'
          call.end()
        }, 50)
      })
    },
  }
  return { methods, received }
}

async function* pieces(count: number, size: number): AsyncGenerator<Buffer> {
  for (let index = 0; index < count; index++) yield Buffer.alloc(size, index)
}

describe('session: a file that is sent', () => {
  it('arrives as a whole, and has an address', async () => {
    const { methods, received } = taker()
    await using peer = await startPeer(methods)
    const metadata = { 'Image.Name': 'a, b' }
    await pipeline(
      Readable.from(pieces(10, 5_000_000)),
      sendFile(peer.session, { exporter: 3, metadata }),
    )
    assert.equal(received.bytes, 50_000_000)
    assert.equal(received.messages, 50)
    assert.equal(received.ended, 'ended')
    const { 'buildkit-attachable-exporter-id': id, 'exporter-md-image.name': name } =
      received.metadata as Record<string, string>
    assert.deepEqual([id, name], ['3', 'a, b'])
  })

  it('may be empty', async () => {
    const { methods, received } = taker()
    await using peer = await startPeer(methods)
    await pipeline(Readable.from([]), sendFile(peer.session, { exporter: 0 }))
    assert.equal(received.ended, 'ended')
  })

  it('is refused with the words of the client, at once or on the way', async () => {
    for (const [refuseAt, message, status] of [
      [0, 'target already exists', 'ALREADY_EXISTS'],
      [1, 'no space left on device', 'UNKNOWN'],
      [7, 'no space left on device', 'UNKNOWN'],
    ] as const) {
      await using peer = await startPeer(taker({ refuseAt }).methods)
      const sending = pipeline(
        Readable.from(pieces(100, 3_000_000)),
        sendFile(peer.session, { exporter: 0 }),
      )
      await assert.rejects(sending, { message, status })
    }
  })

  it('is refused where nothing is written, without an error that nobody takes', async () => {
    await using peer = await startPeer(taker({ refuseAt: 0 }).methods)
    const file = sendFile(peer.session, { exporter: 0 })
    await delay(100)
    assert.equal(file.destroyed, true)
    assert.equal((file.errored as Error).message, 'target already exists')
  })

  it('is not ahead of a client that is slow', async () => {
    const { methods, received } = taker({ slow: 3 })
    await using peer = await startPeer(methods)
    let given = 0
    let ahead = 0
    const counted = async function* (): AsyncGenerator<Buffer> {
      for await (const piece of pieces(200, 500_000)) {
        given += piece.length
        ahead = Math.max(ahead, given - received.bytes)
        yield piece
      }
    }
    await pipeline(counted(), sendFile(peer.session, { exporter: 0 }))
    assert.equal(received.bytes, 100_000_000)
    assert.ok(ahead < 30_000_000, `${ahead} bytes`)
  })

  it('ends early when it is left, cancelled, or the client has gone', async () => {
    const left = taker()
    await using one = await startPeer(left.methods)
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield* pieces(3, 100_000)
      while (left.received.messages === 0) await delay(5)
      throw new Error('broken source')
    }
    const leaving = pipeline(Readable.from(failing()), sendFile(one.session, { exporter: 0 }))
    await assert.rejects(leaving, { message: 'broken source' })
    while (left.received.ended === '') await delay(5)
    assert.equal(left.received.ended, 'cancelled')

    const signal = AbortSignal.timeout(50)
    const endless = async function* (): AsyncGenerator<Buffer> {
      for (;;) {
        yield Buffer.alloc(1000)
        await delay(1)
      }
    }
    const cancelled = pipeline(endless(), sendFile(one.session, { exporter: 0, signal }))
    await assert.rejects(cancelled, { code: 'CANCELLED' })

    const lost = pipeline(endless(), sendFile(one.session, { exporter: 0 }))
    setTimeout(() => one.tunnel.client.destroy(), 50)
    await assert.rejects(lost, { status: 'UNAVAILABLE' })
  })

  it('needs a client that takes files', async () => {
    await using peer = await startPeer({})
    assert.throws(() => sendFile(peer.session, { exporter: 0 }), { code: 'UNSUPPORTED' })
  })
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { Session } from '#buildkit/session'
import { until } from '../../support/peers/index.ts'
import { identityOf } from './support/grpc-peer.ts'
import { rawPeer, reply } from './support/raw-peer.ts'
import { socketTunnel } from './support/tunnel.ts'

/** Frames of HTTP/2 by hand. Spec: RFC 9113 4.1 */
function frame(type: number, { flags = 0, stream = 0, payload = Buffer.alloc(0) } = {}): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

const DATA = 0
const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const PING = 6
const GOAWAY = 7
const WINDOW_UPDATE = 8
const CONTINUATION = 9

const HELLO = frame(SETTINGS)
const ping = frame(PING, { payload: Buffer.alloc(8) })
const setting = frame(SETTINGS, { payload: Buffer.from([0, 3, 0, 0, 0, 100]) })

function times(bytes: Buffer, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => bytes))
}

/** `:status 200` and `content-type: application/grpc` of stream 1. */
const ANSWER = frame(HEADERS, {
  flags: 4,
  stream: 1,
  payload: Buffer.concat([Buffer.from([0x88, 0x5f, 16]), Buffer.from('application/grpc')]),
})

/** `grpc-status: 6` of stream 1, which ends with it. */
const EXISTS = frame(HEADERS, {
  flags: 5,
  stream: 1,
  payload: Buffer.concat([
    Buffer.from([0, 11]),
    Buffer.from('grpc-status'),
    Buffer.from([1, 0x36]),
  ]),
})
const NO_ERROR = Buffer.alloc(4)

/** Bytes of a client, and whether they end the session. */
const BYTES: readonly (readonly [what: string, bytes: Buffer, ends: boolean])[] = [
  ['nothing but a greeting', HELLO, false],
  ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(10)), true],
  ['zeros', Buffer.alloc(100_000), true],
  ['no greeting', ping, true],
  ['some pings', Buffer.concat([HELLO, times(ping, 100)]), false],
  ['a flood of pings', Buffer.concat([HELLO, times(ping, 100_000)]), true],
  ['some settings', Buffer.concat([HELLO, times(setting, 20)]), false],
  ['a flood of settings', Buffer.concat([HELLO, times(setting, 100_000)]), true],
  [
    'a flood of empty data',
    Buffer.concat([HELLO, ANSWER, times(frame(DATA, { stream: 1 }), 100_000)]),
    true,
  ],
  ['some empty data', Buffer.concat([HELLO, ANSWER, times(frame(DATA, { stream: 1 }), 20)]), false],
  [
    'headers without an end',
    Buffer.concat([
      HELLO,
      frame(HEADERS, { stream: 1, payload: Buffer.from([0x88]) }),
      times(frame(CONTINUATION, { stream: 1, payload: Buffer.alloc(1000, 0x88) }), 1000),
    ]),
    true,
  ],
  [
    'a frame that is too long',
    Buffer.concat([HELLO, frame(DATA, { stream: 1, payload: Buffer.alloc(20_000) })]),
    true,
  ],
  [
    'a stream of its own',
    Buffer.concat([HELLO, frame(HEADERS, { flags: 4, stream: 2, payload: Buffer.from([0x88]) })]),
    true,
  ],
  [
    'a window that overflows',
    Buffer.concat([
      HELLO,
      frame(WINDOW_UPDATE, { payload: Buffer.from([0x7f, 0xff, 0xff, 0xff]) }),
    ]),
    true,
  ],
  [
    'a window that grows',
    Buffer.concat([HELLO, frame(WINDOW_UPDATE, { payload: Buffer.from([0, 0xff, 0xff, 0xff]) })]),
    false,
  ],
  [
    'the end of an idle stream',
    Buffer.concat([HELLO, frame(RST_STREAM, { stream: 7, payload: Buffer.alloc(4) })]),
    true,
  ],
  [
    'a farewell with an error',
    Buffer.concat([HELLO, frame(GOAWAY, { payload: Buffer.from([0, 0, 0, 0, 0, 0, 0, 2]) })]),
    true,
  ],
  [
    'unknown frames',
    Buffer.concat([HELLO, times(frame(0xee, { payload: Buffer.alloc(50) }), 100)]),
    false,
  ],
]

describe('session: bytes by hand', () => {
  for (const [what, bytes, ends] of BYTES) {
    it(`which are ${what} ${ends ? 'end it' : 'do not end it'}`, async () => {
      const { daemon, client } = await socketTunnel()
      const session = new Session(daemon, identityOf([]))
      const call = session.call('/a.A/M', Buffer.alloc(1)).then(
        () => 'answered',
        (failure: { status: string }) => failure.status,
      )
      client.resume()
      await delay(20)
      client.write(bytes)
      if (ends) {
        await until(() => session.closed.aborted, 5000)
        assert.equal(await call, 'UNAVAILABLE')
        await until(() => daemon.destroyed)
        if (!client.destroyed) await once(client, 'close')
        return
      }
      await delay(200)
      assert.equal(session.closed.aborted, false)
      session.close()
      assert.equal(await call, 'UNAVAILABLE')
    })
  }

  const waits: readonly (readonly [string, (then: () => void) => void])[] = [
    ['at once', (then) => then()],
    ['a moment later', queueMicrotask],
    ['in the next tick', process.nextTick],
    ['in the next turn', setImmediate],
  ]
  for (const [name, wait] of waits) {
    it(`which are an answer with a reset behind it are the answer: ${name}`, async () => {
      const daemon = new Duplex({ read: () => undefined, write: (_, __, done) => done() })
      const session = new Session(daemon, identityOf([]))
      const stream = session.open('/a.A/M')
      const sending = (async () => {
        for (;;) await stream.send(Buffer.alloc(1000))
      })()
      const reading = (async () => {
        for await (const _ of stream.messages);
      })()
      daemon.push(HELLO)
      await delay(20)
      daemon.push(ANSWER)
      wait(() => {
        daemon.push(EXISTS)
        daemon.push(frame(RST_STREAM, { stream: 1, payload: NO_ERROR }))
      })
      await assert.rejects(sending, { status: 'ALREADY_EXISTS' })
      await assert.rejects(reading, { status: 'ALREADY_EXISTS' })
      session.close()
    })
  }

  for (const [what, bytes] of [
    ['pings', ping],
    ['settings', setting],
  ] as const) {
    it(`which are ${what} that are all answered end it when they are too many`, async () => {
      const { daemon, client } = await socketTunnel()
      const session = new Session(daemon, identityOf([]))
      client.resume()
      client.write(HELLO)
      for (let round = 0; round < 30; round++) {
        client.write(times(bytes, 25))
        await delay(5)
      }
      assert.equal(session.closed.aborted, false)
      for (let round = 0; round < 30; round++) {
        client.write(times(bytes, 25))
        await delay(5)
      }
      await until(() => session.closed.aborted, 1000)
      await until(() => daemon.destroyed)
    })
  }

  it('which never come end it', async () => {
    const { daemon, client } = await socketTunnel()
    const session = new Session(daemon, identityOf([]), { interval: 50, timeout: 100 })
    client.resume()
    await assert.rejects(session.call('/a.A/M', Buffer.alloc(1)), { status: 'UNAVAILABLE' })
    await until(() => daemon.destroyed)
  })

  it('which allow no streams end it', async () => {
    const times = { interval: 50, timeout: 100 }
    using peer = await rawPeer((stream) => reply(stream), times)
    peer.server.settings({ maxConcurrentStreams: 0 })
    await once(peer.server, 'localSettings')
    await assert.rejects(peer.session.call('/a.A/M', Buffer.alloc(1)), { status: 'UNAVAILABLE' })
  })

  it('which allow nothing to be sent leave a call that can be ended', async () => {
    using peer = await rawPeer(() => undefined)
    peer.server.settings({ initialWindowSize: 0 })
    await once(peer.server, 'localSettings')
    const stop = new AbortController()
    const stream = peer.session.open('/a.A/M', { signal: stop.signal })
    const sending = (async () => {
      for (;;) await stream.send(Buffer.alloc(10_000))
    })()
    await delay(50)
    stop.abort()
    await assert.rejects(sending, { code: 'CANCELLED' })
  })

  it('which are a polite farewell leave calls their answers, and then end it', async () => {
    let answer = (): void => undefined
    using peer = await rawPeer((stream) => {
      answer = () => reply(stream)
    })
    const call = peer.session.call('/a.A/M', Buffer.alloc(1))
    await delay(50)
    peer.server.goaway(0, 1)
    await delay(50)
    await assert.rejects(peer.session.call('/a.A/M', Buffer.alloc(1)), { status: 'UNAVAILABLE' })
    answer()
    assert.equal((await call).toString(), 'answer')
    await until(() => peer.session.closed.aborted, 5000)
  })
})

import assert from 'node:assert/strict'
import { constants, type ServerHttp2Stream } from 'node:http2'
import { CallError } from '../../../buildkit/session/call-error.ts'
import { framed, rawPeer, reply } from './support/raw-peer.ts'

const LIMIT = 100_000

type Answer = (stream: ServerHttp2Stream) => void

/** What comes of a call: the answer, or the status. */
async function resultOf(answer: Answer): Promise<string> {
  let isReady = false
  using peer = await rawPeer((stream) => (isReady ? answer(stream) : reply(stream)))
  const { session } = peer
  // From now on the client knows what it may send.
  await session.call('/a.A/M', Buffer.alloc(1))
  isReady = true
  const result = await session.call('/a.A/M', Buffer.alloc(10), { limit: LIMIT }).then(
    (bytes) => `answer of ${bytes.length}`,
    (failure: unknown) => {
      assert.ok(failure instanceof CallError, String(failure))
      return failure.status
    },
  )
  assert.equal(session.closed.aborted, false)
  return result
}

const message = framed(Buffer.alloc(1000, 'm'))

/** Each refusal beside what is nearly the same, and taken. */
const ANSWERS: readonly (readonly [what: string, answer: Answer, result: string])[] = [
  ['a whole message', (s) => reply(s, { body: [message] }), 'answer of 1000'],
  [
    'a message byte by byte',
    (s) => reply(s, { body: [...message].map((byte) => Buffer.from([byte])) }),
    'answer of 1000',
  ],
  ['a cut message', (s) => reply(s, { body: [message.subarray(0, -1)] }), 'INTERNAL'],
  ['a cut head', (s) => reply(s, { body: [message, message.subarray(0, 3)] }), 'INTERNAL'],
  ['an empty message', (s) => reply(s, { body: [framed(Buffer.alloc(0))] }), 'answer of 0'],
  ['no message', (s) => reply(s, { body: [] }), 'INTERNAL'],
  ['two messages', (s) => reply(s, { body: [message, message] }), 'INTERNAL'],
  [
    'a message as long as may be',
    (s) => reply(s, { body: [framed(Buffer.alloc(LIMIT))] }),
    `answer of ${LIMIT}`,
  ],
  [
    'a message that is too long',
    (s) => reply(s, { body: [framed(Buffer.alloc(LIMIT + 1))] }),
    'RESOURCE_EXHAUSTED',
  ],
  [
    'a length without a message',
    (s) => reply(s, { body: [framed(Buffer.alloc(5), { length: 0xffff_ffff })] }),
    'RESOURCE_EXHAUSTED',
  ],
  ['a compressed message', (s) => reply(s, { body: [framed(message, { flag: 1 })] }), 'INTERNAL'],
  ['a strange flag', (s) => reply(s, { body: [framed(message, { flag: 255 })] }), 'INTERNAL'],
  ['no trailers', (s) => reply(s, { trailers: 'none' }), 'INTERNAL'],
  ['trailers without a status', (s) => reply(s, { trailers: { other: 'x' } }), 'INTERNAL'],
  ['a status in words', (s) => reply(s, { trailers: { 'grpc-status': 'OK' } }), 'UNKNOWN'],
  ['an unknown status', (s) => reply(s, { trailers: { 'grpc-status': '17' } }), 'UNKNOWN'],
  ['a negative status', (s) => reply(s, { trailers: { 'grpc-status': '-1' } }), 'UNKNOWN'],
  ['a known status', (s) => reply(s, { trailers: { 'grpc-status': '16' } }), 'UNAUTHENTICATED'],
  [
    'a status without anything else',
    (s) =>
      s.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' },
        { endStream: true },
      ),
    'NOT_FOUND',
  ],
  [
    'headers without anything else',
    (s) => s.respond({ ':status': 200, 'content-type': 'application/grpc' }, { endStream: true }),
    'INTERNAL',
  ],
  [
    'another kind of gRPC',
    (s) => reply(s, { headers: { 'content-type': 'application/grpc+proto' } }),
    'answer of 6',
  ],
  ['a web page', (s) => reply(s, { headers: { 'content-type': 'text/html' } }), 'UNKNOWN'],
  [
    'what only begins so',
    (s) => reply(s, { headers: { 'content-type': 'application/grpcx' } }),
    'UNKNOWN',
  ],
  ['a page that is not there', (s) => reply(s, { headers: { ':status': 404 } }), 'UNIMPLEMENTED'],
  ['a gateway that fails', (s) => reply(s, { headers: { ':status': 503 } }), 'UNAVAILABLE'],
  ['a redirect', (s) => reply(s, { headers: { ':status': 302, location: '/x' } }), 'UNKNOWN'],
  [
    'hints before it',
    (s) => {
      s.additionalHeaders({ ':status': 103 })
      reply(s)
    },
    'INTERNAL',
  ],
  ['thirty more headers', (s) => reply(s, { headers: many(30) }), 'answer of 6'],
  ['a hundred more headers', (s) => reply(s, { headers: many(100) }), 'RESOURCE_EXHAUSTED'],
  [
    'a hundred more trailers',
    (s) => reply(s, { trailers: { 'grpc-status': '0', ...many(100) } }),
    'RESOURCE_EXHAUSTED',
  ],
  ['a long header', (s) => reply(s, { headers: { x: 'x'.repeat(30_000) } }), 'answer of 6'],
  [
    'a longer header',
    (s) => reply(s, { headers: { x: 'x'.repeat(64_000), y: 'y'.repeat(64_000) } }),
    'RESOURCE_EXHAUSTED',
  ],
  ['a refusal of the stream', (s) => s.close(constants.NGHTTP2_REFUSED_STREAM), 'UNAVAILABLE'],
  ['an end of the stream', (s) => s.close(constants.NGHTTP2_NO_ERROR), 'INTERNAL'],
  ['a cancelled stream', (s) => s.close(constants.NGHTTP2_CANCEL), 'CANCELLED'],
  ['calm', (s) => s.close(constants.NGHTTP2_ENHANCE_YOUR_CALM), 'RESOURCE_EXHAUSTED'],
  ['a broken stream', (s) => s.close(constants.NGHTTP2_PROTOCOL_ERROR), 'INTERNAL'],
]

function many(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`h${index}`, 'x']))
}

describe('session: an answer by hand', () => {
  for (const [what, answer, result] of ANSWERS) {
    it(`with ${what}: ${result}`, async () => {
      assert.equal(await resultOf(answer), result)
    })
  }

  it('with an error has its text, whatever that has in it', async () => {
    const texts: readonly (readonly [string, string])[] = [
      ['plain text', 'plain text'],
      ['%C3%BC 100%25 %0A', 'ü 100% \n'],
      ['%zz %C3 100%', '%zz \ufffd 100%'],
      ['%1B[2Jred%00%07', ' [2Jred  '],
      ['\xc3\xbc', 'ü'],
      ['', 'the client answered /a.A/M: ABORTED'],
    ]
    for (const [sent, text] of texts) {
      using peer = await rawPeer((stream) =>
        reply(stream, { trailers: { 'grpc-status': '10', 'grpc-message': sent } }),
      )
      const call = peer.session.call('/a.A/M', Buffer.alloc(1))
      await assert.rejects(call, { status: 'ABORTED', message: text })
    }
    using peer = await rawPeer((stream) =>
      reply(stream, { trailers: { 'grpc-status': '10', 'grpc-message': 'x'.repeat(50_000) } }),
    )
    const call = peer.session.call('/a.A/M', Buffer.alloc(1))
    await assert.rejects(call, (error: Error) => error.message.length === 8192)
  })

  it('gives what came before the client failed', async () => {
    using peer = await rawPeer((stream) =>
      reply(stream, { body: [message, message], trailers: { 'grpc-status': '2' } }),
    )
    let taken = 0
    const reading = (async () => {
      for await (const _ of peer.session.open('/a.A/M').messages) taken++
    })()
    await assert.rejects(reading, { status: 'UNKNOWN' })
    assert.equal(taken, 2)
  })

  const metadata: readonly (readonly [string, Record<string, string>])[] = [
    ['a name in capitals', { Name: 'x' }],
    ['a pseudo header', { ':path': '/other' }],
    ["a name of gRPC's own", { 'grpc-timeout': '1S' }],
    ['a line break', { a: 'x\r\ny: z' }],
    ['what is not ASCII', { a: 'ü' }],
    [
      'too many bytes',
      Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`a${n}`, 'x'.repeat(32_000)])),
    ],
    ['a value that is too long', { a: 'x'.repeat(40_000) }],
  ]
  for (const [what, given] of metadata) {
    it(`is not asked for with ${what}`, async () => {
      using peer = await rawPeer((stream) => reply(stream))
      const call = peer.session.call('/a.A/M', Buffer.alloc(1), { metadata: given })
      await assert.rejects(call, { code: 'USAGE' })
      const metadata = { name: 'x y', a: 'x'.repeat(30_000) }
      const twin = await peer.session.call('/a.A/M', Buffer.alloc(1), { metadata })
      assert.equal(twin.toString(), 'answer')
    })
  }
})

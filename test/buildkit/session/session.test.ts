import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { CallError } from '../../../buildkit/session/call-error.ts'
import { failure, type PeerMethods, startPeer, unary } from './support/grpc-peer.ts'
import { TUNNELS } from './support/tunnel.ts'

const ECHO: PeerMethods = {
  '/a.A/Echo': unary((request) => request),
  '/a.A/Both': (call) => {
    call.on('error', () => undefined)
    call.on('data', (message: Buffer) => call.write(message))
    call.on('end', () => call.end())
  },
}

for (const [name, open] of TUNNELS) {
  describe(`session: calls over ${name}`, () => {
    for (const size of [0, 1, 16_384, 70_000, 5_000_000]) {
      it(`asks with ${size} bytes and gets the answer`, async () => {
        await using peer = await startPeer(ECHO, { open })
        const request = randomBytes(size)
        const answer = await peer.session.call('/a.A/Echo', request)
        assert.equal(answer.equals(request), true)
      })
    }

    it('sends and takes many messages of one call at once', async () => {
      await using peer = await startPeer(ECHO, { open })
      const stream = peer.session.open('/a.A/Both')
      const sent = Array.from({ length: 300 }, (_, index) => randomBytes((index * 977) % 100_000))
      const sending = (async () => {
        for (const message of sent) await stream.send(message)
        stream.end()
      })()
      const taken: Buffer[] = []
      for await (const message of stream.messages) taken.push(message)
      await sending
      assert.equal(taken.length, 300)
      assert.deepEqual(
        taken.map((message, index) => message.equals(sent[index] ?? Buffer.from('none'))),
        sent.map(() => true),
      )
    })

    it('makes calls side by side', async () => {
      await using peer = await startPeer(ECHO, { open })
      const requests = Array.from({ length: 90 }, (_, index) => Buffer.alloc(40_000, index))
      const answers = await Promise.all(
        requests.map((request) => peer.session.call('/a.A/Echo', request)),
      )
      assert.deepEqual(
        answers.map((answer, index) => answer.equals(requests[index] ?? Buffer.alloc(0))),
        requests.map(() => true),
      )
    })

    it('tells how a client has failed', async () => {
      const fails = (code: number, text: string): PeerMethods[string] =>
        unary(() => {
          throw failure(code, text)
        })
      await using peer = await startPeer(
        {
          '/a.A/NotFound': fails(5, 'no such thing: ü 100% \n'),
          '/a.A/Cancelled': fails(1, 'given up'),
          '/a.A/Unavailable': fails(14, 'later'),
          '/a.A/Refused': fails(7, 'no'),
          '/a.A/Unknown': fails(2, 'open /x: permission denied'),
        },
        { open },
      )
      const failed = async (method: string): Promise<readonly unknown[]> => {
        const error = await peer.session.call(`/a.A/${method}`, Buffer.alloc(1)).then(
          () => assert.fail('it did not fail'),
          (cause: unknown) => cause,
        )
        assert.ok(error instanceof CallError, String(error))
        return [error.status, error.code, error.message]
      }
      assert.deepEqual(await failed('NotFound'), [
        'NOT_FOUND',
        'NOT_FOUND',
        'no such thing: ü 100% \n',
      ])
      assert.deepEqual(await failed('Cancelled'), ['CANCELLED', 'PEER_GONE', 'given up'])
      assert.deepEqual(await failed('Unavailable'), ['UNAVAILABLE', 'PEER_GONE', 'later'])
      assert.deepEqual(await failed('Refused'), ['PERMISSION_DENIED', 'PERMISSION_DENIED', 'no'])
      assert.deepEqual(await failed('Unknown'), [
        'UNKNOWN',
        'IO_FAILED',
        'open /x: permission denied',
      ])
      const [status, code] = await failed('Missing')
      assert.deepEqual([status, code], ['UNIMPLEMENTED', 'UNSUPPORTED'])
      assert.equal(peer.session.closed.aborted, false)
    })

    it('sends metadata, also the same name several times', async () => {
      let got: unknown
      await using peer = await startPeer(
        {
          '/a.A/Meta': unary((request, call) => {
            got = [call.metadata.get('one'), call.metadata.get('many')]
            return request
          }),
        },
        { open },
      )
      const metadata = { one: 'a, b; c=~', many: ['x', 'y', ''] }
      await peer.session.call('/a.A/Meta', Buffer.alloc(1), { metadata })
      assert.deepEqual(got, [['a, b; c=~'], ['x, y, ']])
    })
  })
}

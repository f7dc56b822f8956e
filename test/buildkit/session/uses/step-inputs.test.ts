import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import {
  BYTES_MESSAGE,
  CHECK_AGENT_REQUEST,
  GET_SECRET_REQUEST,
  GET_SECRET_RESPONSE,
} from '#buildkit/messages'
import { openUpload, sessionAgents, sessionSecrets } from '#buildkit/session'
import { collect } from '#core'
import { isUploadUrl } from '../../../../buildkit/session/uses/upload.ts'
import { temporaryDirectory, until } from '../../../support/peers/index.ts'
import { failure, type PeerMethods, startPeer, unary } from '../support/grpc-peer.ts'

const SECRETS: PeerMethods = {
  '/moby.buildkit.secrets.v1.Secrets/GetSecret': unary((request) => {
    const { ID } = GET_SECRET_REQUEST.decode(request)
    if (ID === 'none') throw failure(5, 'secret none: not found')
    if (ID === 'broken') throw failure(2, 'open /x: permission denied')
    const bytes = ID === 'big' ? 500 * 1024 : ID === 'huge' ? 600 * 1024 : 5
    return GET_SECRET_RESPONSE.encode({ data: Buffer.alloc(bytes, ID) })
  }),
}

describe('session: secrets', () => {
  it('are found, or not', async () => {
    await using peer = await startPeer(SECRETS)
    const find = sessionSecrets(peer.session)
    assert.equal(Buffer.from((await find('abcde')) ?? []).toString(), 'abcde')
    assert.equal((await find('big'))?.length, 500 * 1024)
    assert.equal(await find('none'), undefined)
    await assert.rejects(find('broken'), {
      status: 'UNKNOWN',
      message: 'open /x: permission denied',
    })
    await assert.rejects(find('huge'), { status: 'RESOURCE_EXHAUSTED' })
    await using other = await startPeer({})
    assert.equal(await sessionSecrets(other.session)('abcde'), undefined)
  })

  it('are not waited for when that is cancelled', async () => {
    await using peer = await startPeer({
      '/moby.buildkit.secrets.v1.Secrets/GetSecret': (call) => call.on('error', () => undefined),
    })
    const finding = sessionSecrets(peer.session)('x', AbortSignal.timeout(50))
    await assert.rejects(finding, { code: 'CANCELLED' })
  })

  it('are not taken from what is no answer', async () => {
    await using peer = await startPeer({
      '/moby.buildkit.secrets.v1.Secrets/GetSecret': unary(() => Buffer.from([0xff, 0xff])),
    })
    await assert.rejects(sessionSecrets(peer.session)('x'), { code: 'USAGE' })
  })
})

/** An agent that answers each piece with the same in capitals. */
function agents(ended: string[] = []): PeerMethods {
  return {
    '/moby.sshforward.v1.SSH/CheckAgent': unary((request) => {
      const { ID } = CHECK_AGENT_REQUEST.decode(request)
      if (ID === 'none') throw failure(2, 'unset ssh forward key none')
      return Buffer.alloc(0)
    }),
    '/moby.sshforward.v1.SSH/ForwardAgent': (call) => {
      const [id] = call.metadata.get('buildkit.ssh.id')
      call.on('error', () => undefined)
      call.on('data', (message: Buffer) => {
        const data = BYTES_MESSAGE.decode(message).data.toString().toUpperCase()
        call.write(BYTES_MESSAGE.encode({ data: Buffer.from(`${id}:${data} `) }))
      })
      call.on('end', () => {
        ended.push(`${id} ended`)
        call.end()
      })
    },
  }
}

/** A socket as steps have it, each connection of which `serve` gets. */
async function stepSocket(
  path: string,
  serve: (connection: Socket) => void,
): Promise<{ readonly open: () => Socket } & Disposable> {
  const server = createServer({ allowHalfOpen: true }, serve)
  server.listen(path)
  await once(server, 'listening')
  return {
    open: () => connect({ path, allowHalfOpen: true }),
    [Symbol.dispose]: () => void server.close(),
  }
}

describe('session: agents', () => {
  it('are found, or not', async () => {
    await using peer = await startPeer(agents())
    assert.notEqual(await sessionAgents(peer.session)('mine'), undefined)
    assert.equal(await sessionAgents(peer.session)('none'), undefined)
    await using other = await startPeer({})
    assert.equal(await sessionAgents(other.session)('mine'), undefined)
    other.session.close()
    await assert.rejects(sessionAgents(other.session)('mine'), { status: 'UNAVAILABLE' })
  })

  it('serve the connections of a step, in both directions', async () => {
    const ended: string[] = []
    await using peer = await startPeer(agents(ended))
    using place = temporaryDirectory('agent')
    const serve = (await sessionAgents(peer.session)('mine')) ?? assert.fail()
    using socket = await stepSocket(place.file('s'), serve)
    const [one, two] = [socket.open(), socket.open()]
    one.end('hello')
    two.write('there')
    assert.equal(await text(one), 'mine:HELLO ')
    const [answer] = (await once(two, 'data')) as [Buffer]
    assert.equal(answer.toString(), 'mine:THERE ')
    assert.deepEqual(ended, ['mine ended'])
    two.destroy()
    await until(() => ended.length === 2)
  })

  it('close the connections of a step when the session ends', async () => {
    await using peer = await startPeer(agents())
    using place = temporaryDirectory('agent')
    const serve = (await sessionAgents(peer.session)('mine')) ?? assert.fail()
    using socket = await stepSocket(place.file('s'), serve)
    const connection = socket.open()
    connection.on('error', () => undefined).write('x')
    await once(connection, 'data')
    peer.session.close()
    await once(connection, 'end')
    const late = socket.open()
    late.on('error', () => undefined).resume()
    await once(late, 'end')
  })

  it('are not asked any further when a step has gone', async () => {
    const ended: string[] = []
    await using peer = await startPeer({
      ...agents(),
      '/moby.sshforward.v1.SSH/ForwardAgent': (call) => {
        call.on('error', () => undefined)
        call.on('data', () => ended.push('asked'))
        call.on('cancelled', () => ended.push('cancelled'))
      },
    })
    using place = temporaryDirectory('agent')
    const serve = (await sessionAgents(peer.session)('mine')) ?? assert.fail()
    const server = createServer(serve).listen(place.file('s'))
    await once(server, 'listening')
    const connection = connect(place.file('s'))
    connection.write('x')
    await until(() => ended.length === 1)
    connection.destroy()
    await until(() => ended.length === 2)
    assert.deepEqual(ended, ['asked', 'cancelled'])
    server.close()
  })

  it('close a connection at what is no message', async () => {
    await using peer = await startPeer({
      ...agents(),
      '/moby.sshforward.v1.SSH/ForwardAgent': (call) => {
        call.on('error', () => undefined)
        call.write(Buffer.from([0xff]))
      },
    })
    using place = temporaryDirectory('agent')
    const serve = (await sessionAgents(peer.session)('mine')) ?? assert.fail()
    using socket = await stepSocket(place.file('s'), serve)
    const connection = socket.open()
    connection.on('error', () => undefined).resume()
    await once(connection, 'end')
  })
})

const UPLOAD: PeerMethods = {
  '/moby.upload.v1.Upload/Pull': (call) => {
    call.on('error', () => undefined)
    const [path] = call.metadata.get('urlpath')
    const [host] = call.metadata.get('urlhost')
    if (path !== '/id' || host !== 'buildkit-session') {
      return void call.emit('error', failure(2, `no http response from session for ${path}`))
    }
    let sent = 0
    const more = (): void => {
      if (sent === 40) return void call.end()
      call.write(BYTES_MESSAGE.encode({ data: Buffer.alloc(1_000_000, sent++) }), more)
    }
    more()
  },
}

describe('session: uploads', () => {
  it('are read as they come', async () => {
    await using peer = await startPeer(UPLOAD)
    let size = 0
    for await (const chunk of openUpload(peer.session, 'http://buildkit-session/id')) {
      assert.equal(chunk[0], Math.floor(size / 1_000_000))
      size += chunk.length
    }
    assert.equal(size, 40_000_000)
  })

  it('fail where the client has none', async () => {
    await using peer = await startPeer(UPLOAD)
    const upload = openUpload(peer.session, 'http://buildkit-session/other')
    const message = 'no http response from session for /other'
    await assert.rejects(collect(upload, 1e9), { status: 'UNKNOWN', message })
  })

  it('are known by their URLs', async () => {
    assert.deepEqual(
      [
        'http://buildkit-session/x',
        'https://buildkit-session.example/x',
        'buildkit-session',
        '.',
      ].map(isUploadUrl),
      [true, false, false, false],
    )
    await using peer = await startPeer(UPLOAD)
    assert.throws(() => openUpload(peer.session, 'http://a.example/id'), { code: 'USAGE' })
  })
})

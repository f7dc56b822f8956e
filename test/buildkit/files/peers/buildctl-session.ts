/**
 * The least of a daemon that lets buildctl show its folders: HTTP/2 with calls of gRPC, in whose `Session` are the
 * bytes of another HTTP/2, where the client is the server.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type Http2Stream,
  type ServerHttp2Stream,
} from 'node:http2'
import { Duplex } from 'node:stream'
import { BYTES_MESSAGE, LIST_WORKERS_RESPONSE } from '#buildkit/messages'
import type { PacketStream } from '../../../../buildkit/files/packets/packet-stream.ts'

const HEAD_BYTES = 5

/** A running buildctl, which shows a folder as its context. */
export class BuildctlSession implements AsyncDisposable {
  readonly #server: Http2Server
  readonly #client: ChildProcess
  readonly #session: ClientHttp2Session

  private constructor(server: Http2Server, client: ChildProcess, session: ClientHttp2Session) {
    this.#server = server
    this.#client = client
    this.#session = session
  }

  /** @param socket where to listen */
  static async open(program: string, folder: string, socket: string): Promise<BuildctlSession> {
    const opened = Promise.withResolvers<ClientHttp2Session>()
    const server = createServer()
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      stream.on('error', () => undefined)
      stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      const path = headers[':path'] ?? ''
      if (path.endsWith('/ListWorkers')) {
        const record = [{ ID: 'x', platforms: [{ Architecture: 'amd64', OS: 'linux' }] }]
        stream.end(framed(LIST_WORKERS_RESPONSE.encode({ record })))
      } else if (path.endsWith('/Session')) opened.resolve(sessionOver(stream))
    })
    server.listen(socket)
    await once(server, 'listening')
    const words = ['--addr', `unix://${socket}`, 'build', '--frontend', 'dockerfile.v0']
    for (const name of ['context', 'dockerfile']) words.push('--local', `${name}=${folder}`)
    const client = spawn(program, words, { stdio: 'ignore' })
    return new BuildctlSession(server, client, await opened.promise)
  }

  /** Asks for the context. */
  diffCopy(): PacketStream & { readonly status: Promise<string> } {
    const stream = this.#session.request({
      ...{ ':method': 'POST', ':path': '/moby.filesync.v1.FileSync/DiffCopy' },
      ...{ 'content-type': 'application/grpc', te: 'trailers', 'dir-name': 'context' },
    })
    const status = once(stream, 'trailers').then(([trailers]) => `${trailers['grpc-status']}`)
    return {
      send: (message) => write(stream, message),
      end: () => void stream.end(),
      messages: messagesOf(stream),
      status,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#client, 'close')
    this.#client.kill('SIGKILL')
    await ended
    this.#session.destroy()
    this.#server.close()
  }
}

function sessionOver(stream: ServerHttp2Stream): ClientHttp2Session {
  const bytes = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      write(stream, BYTES_MESSAGE.encode({ data: chunk })).then(() => done(), done)
    },
  })
  const receive = async (): Promise<void> => {
    for await (const message of messagesOf(stream)) {
      bytes.push(Buffer.from(BYTES_MESSAGE.decode(message).data))
    }
    bytes.push(null)
  }
  receive().catch((cause) => bytes.destroy(cause))
  const session = connect('http://localhost', { createConnection: () => bytes })
  session.on('error', () => undefined)
  return session
}

function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

async function write(stream: Http2Stream, message: Uint8Array): Promise<void> {
  if (!stream.write(framed(message))) await once(stream, 'drain')
}

async function* messagesOf(stream: Http2Stream): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of stream) {
    const bytes: Buffer = Buffer.concat([rest, chunk as Buffer])
    let at = 0
    while (bytes.length - at >= HEAD_BYTES) {
      const end = at + HEAD_BYTES + bytes.readUInt32BE(at + 1)
      if (end > bytes.length) break
      yield bytes.subarray(at + HEAD_BYTES, end)
      at = end
    }
    rest = bytes.subarray(at)
  }
}

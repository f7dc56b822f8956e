import { once } from 'node:events'
import http2 from 'node:http2'
import { buffer } from 'node:stream/consumers'
import {
  GATEWAY_SOLVE_RESPONSE,
  INFO_RESPONSE,
  LIST_WORKERS_RESPONSE,
  PONG_RESPONSE,
  SOLVE_REQUEST,
  SOLVE_RESPONSE,
  STATUS_REQUEST,
  STATUS_RESPONSE,
} from '#buildkit/messages'
import { StatusFeed, solveError } from '#buildkit/status'
import type { SolveFailure } from '../../../../buildkit/status/solve-error.ts'

/** One solve, as a server does it: events go into the feed. */
export type Solve = (feed: StatusFeed) => Promise<unknown>

/** A build that a client has begun. */
interface Running {
  readonly feed: StatusFeed
  readonly returned: PromiseWithResolvers<void>
  failure: SolveFailure | undefined
}

const WORKER = { ID: 'one', platforms: [{ OS: 'linux', Architecture: 'amd64' }] }
const CAPS = ['solve.base', 'proto.refarray', 'return', 'returnmap', 'gateway.solve.metadata'].map(
  (ID) => ({ ID, Enabled: true }),
)

/**
 * As much of BuildKit's API as buildctl and buildx need to show how builds go on and how they end: gRPC without
 * sessions, on a socket.
 */
export class StatusServer implements AsyncDisposable {
  readonly #server = http2.createServer()
  readonly #solve: Solve
  readonly #running = new Map<string, Running>()
  readonly #connections = new Set<http2.ServerHttp2Session>()

  private constructor(solve: Solve) {
    this.#solve = solve
    this.#server.on('session', (session) => this.#connections.add(session))
    this.#server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined)
      void this.#answer(stream, headers).catch(() => stream.destroy())
    })
  }

  static async start(socket: string, solve: Solve): Promise<StatusServer> {
    const server = new StatusServer(solve)
    server.#server.listen(socket)
    await once(server.#server, 'listening')
    return server
  }

  async #answer(
    stream: http2.ServerHttp2Stream,
    headers: http2.IncomingHttpHeaders,
  ): Promise<void> {
    const path = `${headers[':path']}`
    const method = path.replace(/^\/moby\.buildkit\.v1\./, '')
    const call = new Call(stream)
    // A session ends when the client has ended its part.
    const request = await buffer(stream)
    const message = request.subarray(5)
    const build = `${headers['buildkit-controlapi-buildid']}`
    switch (method) {
      case 'Control/Session':
        return call.end()
      case 'Control/ListWorkers':
        return call.end(LIST_WORKERS_RESPONSE.encode({ record: [WORKER] }))
      case 'Control/Info':
        return call.end(INFO_RESPONSE.encode({}))
      case 'Control/Status':
        return this.#showStatus(call, STATUS_REQUEST.decode(message).Ref)
      case 'Control/Solve':
        return this.#end(call, SOLVE_REQUEST.decode(message).Ref)
      case 'frontend.LLBBridge/Ping':
        return call.end(PONG_RESPONSE.encode({ FrontendAPICaps: CAPS, Workers: [WORKER] }))
      case 'frontend.LLBBridge/Solve':
        return this.#perform(call, build)
      case 'frontend.LLBBridge/Return':
        this.#of(build).returned.resolve()
        return call.end(Buffer.alloc(0))
      default:
        return call.fail({ code: 12, message: path, details: Buffer.alloc(0) })
    }
  }

  /** Whatever comes first of the calls of a build. */
  #of(ref: string): Running {
    const known = this.#running.get(ref)
    if (known !== undefined) return known
    const feed = new StatusFeed({ ref })
    const running = { feed, returned: Promise.withResolvers<void>(), failure: undefined }
    this.#running.set(ref, running)
    return running
  }

  async #showStatus(call: Call, ref: string): Promise<void> {
    for await (const one of this.#of(ref).feed.read()) call.send(STATUS_RESPONSE.encode(one))
    call.end()
  }

  async #perform(call: Call, ref: string): Promise<void> {
    const running = this.#of(ref)
    const { feed } = running
    try {
      await this.#solve(feed)
      call.end(GATEWAY_SOLVE_RESPONSE.encode({ result: { ref: { id: 'result' } } }))
    } catch (cause) {
      const failure = solveError(cause, { vertex: feed.failedVertex })
      running.failure = failure
      call.fail(failure)
    }
  }

  async #end(call: Call, ref: string): Promise<void> {
    const running = this.#of(ref)
    await running.returned.promise
    running.feed.close()
    if (running.failure === undefined) call.end(SOLVE_RESPONSE.encode({}))
    else call.fail(running.failure)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { feed } of this.#running.values()) feed.close()
    for (const connection of this.#connections) connection.destroy()
    this.#server.close()
  }
}

/** One call of gRPC. Spec: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
class Call {
  readonly #stream: http2.ServerHttp2Stream
  #trailers: http2.OutgoingHttpHeaders = { 'grpc-status': '0' }

  constructor(stream: http2.ServerHttp2Stream) {
    this.#stream = stream
    stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers(this.#trailers))
  }

  send(message: Buffer): void {
    const head = Buffer.alloc(5)
    head.writeUInt32BE(message.length, 1)
    this.#stream.write(Buffer.concat([head, message]))
  }

  end(message?: Buffer): void {
    if (message !== undefined) this.send(message)
    this.#stream.end()
  }

  fail({ code, message, details }: SolveFailure): void {
    this.#trailers = {
      'grpc-status': `${code}`,
      'grpc-message': encodeURIComponent(message),
      'grpc-status-details-bin': details.toString('base64'),
    }
    this.#stream.end()
  }
}

import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { TsbuildError } from '#core'
import type { Container } from '#engine/containers'
import type { LogLine } from '#engine/logs'
import { skipBody } from '../http/body.ts'
import { Query } from '../http/query.ts'
import { versionOf } from '../http/request-version.ts'
import { upgradeOf } from '../http/upgrade.ts'
import type { EngineServices } from '../services/engine-services.ts'
import { type ClientConnection, connectClient } from '../streams/connect-client.ts'
import { parseDetachKeys } from '../streams/detach-keys.ts'
import { hijack, type StreamKind } from '../streams/hijack.ts'
import { clientSink, type WantedOutputs } from '../streams/stdcopy.ts'

type AttachRequest = FastifyRequest<{ readonly Params: { readonly id: string } }>

/** What a client asks for that attaches. */
interface Attach {
  readonly container: Container
  readonly connection: Omit<ClientConnection, 'kind'>
  /** What was printed before; `undefined`: it is not asked for. */
  readonly log: AsyncIterable<LogLine> | undefined
  /** Whether what comes from now on is asked for, too. */
  readonly goesOn: boolean
  /** Ends the reading of the log. */
  readonly closed: AbortController
}

/** Bytes of input in one message of a client. */
const MOST_MESSAGE = 1024 * 1024

/** Attaches clients, also those that speak WebSocket: output comes to these as one stream in binary messages. */
export function attachRoutes(app: FastifyInstance, services: EngineServices): void {
  app.post('/containers/:id/attach', async (request: AttachRequest, reply) => {
    await skipBody(request)
    const attach = attachOf(services, request)
    const isTerminal = attach.container.record.config.Tty === true
    const isNamed = !isTerminal && versionOf(request).minor >= 42
    const client = hijack(request, reply, isNamed ? 'multiplexed' : 'raw')
    void attachClient(client, isTerminal ? 'raw' : 'multiplexed', attach)
    return await reply
  })
  const server = new WebSocketServer({ noServer: true, maxPayload: MOST_MESSAGE })
  app.get('/containers/:id/attach/ws', (request: AttachRequest, reply) => {
    const upgrade = upgradeOf(request.raw)
    if (upgrade === undefined) {
      throw new TsbuildError('a WebSocket is asked for by an upgrade', { code: 'USAGE' })
    }
    const attach = { ...attachOf(services, request), goesOn: true }
    reply.hijack()
    reply.raw.detachSocket(request.raw.socket)
    server.handleUpgrade(request.raw, upgrade.take(), Buffer.alloc(0), (socket) => {
      const client = createWebSocketStream(socket)
      client.on('error', () => undefined)
      void attachClient(client, 'raw', attach)
    })
  })
}

/** @throws {TsbuildError} NOT_FOUND, CONFLICT while the container is paused, USAGE, UNSUPPORTED where no log can be read */
function attachOf(services: EngineServices, request: AttachRequest): Attach {
  const query = new Query(request.url)
  const container = services.containers.find(request.params.id)
  const detachKeys = parseDetachKeys(query.text('detachKeys'))
  const { Tty = false, OpenStdin = false, StdinOnce = false } = container.record.config
  if (container.record.state.status === 'paused') {
    throw new TsbuildError(
      `container ${container.id} is paused, unpause the container before attach`,
      { code: 'CONFLICT' },
    )
  }
  const outputs = { stdout: query.flag('stdout'), stderr: query.flag('stderr') }
  const closed = new AbortController()
  return {
    ...{ container, closed, goesOn: query.flag('stream') },
    log: query.flag('logs') ? logOf(services, container, { outputs, closed }) : undefined,
    connection: {
      outputs,
      stdin: OpenStdin && query.flag('stdin'),
      endsInput: StdinOnce && !Tty,
      detachKeys: Tty ? detachKeys : undefined,
    },
  }
}

function logOf(
  services: EngineServices,
  container: Container,
  { outputs, closed }: { readonly outputs: WantedOutputs; readonly closed: AbortController },
): AsyncIterable<LogLine> {
  const all = { since: undefined, until: undefined, tail: 'all', follow: false } as const
  return services.readLog(container, { ...all, ...outputs, signal: closed.signal })
}

/** Never rejects: a client whose log cannot be read is left. */
async function attachClient(
  client: Duplex,
  kind: StreamKind,
  { container, connection, log, goesOn, closed }: Attach,
): Promise<void> {
  container.reportAttached()
  client.once('close', () => closed.abort())
  try {
    const sink = clientSink(client, kind, connection.outputs)
    for await (const { stream, data } of log ?? []) {
      if (client.destroyed) return
      await sink(stream, data)
    }
  } catch {
    client.destroy()
    return
  }
  if (goesOn) connectClient(client, container.streams, { ...connection, kind })
  else client.end()
}

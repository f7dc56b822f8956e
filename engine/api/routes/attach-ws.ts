import type { FastifyInstance } from 'fastify'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { TsbuildError } from '#core'
import { Query } from '../http/query.ts'
import { upgradeOf } from '../http/upgrade.ts'
import type { EngineServices } from '../services/engine-services.ts'
import { connectClient } from '../streams/connect-client.ts'
import { parseDetachKeys } from '../streams/detach-keys.ts'
import { replayLog } from './logs.ts'

/** Bytes of input in one message of a client. */
const MOST_MESSAGE = 1024 * 1024

/** Attaches clients that speak WebSocket, as those in browsers: output comes as one stream in binary messages. */
export function attachWebSocketRoutes(app: FastifyInstance, services: EngineServices): void {
  const server = new WebSocketServer({ noServer: true, maxPayload: MOST_MESSAGE })
  app.get<{ readonly Params: { readonly id: string } }>(
    '/containers/:id/attach/ws',
    (request, reply) => {
      const query = new Query(request.url)
      const container = services.containers.find(request.params.id)
      const { Tty = false, OpenStdin = false, StdinOnce = false } = container.record.config
      const detachKeys = Tty ? parseDetachKeys(query.text('detachKeys')) : undefined
      const upgrade = upgradeOf(request.raw)
      if (upgrade === undefined) {
        throw new TsbuildError('a WebSocket is asked for by an upgrade', { code: 'USAGE' })
      }
      reply.hijack()
      reply.raw.detachSocket(request.raw.socket)
      const outputs = { stdout: query.flag('stdout'), stderr: query.flag('stderr') }
      server.handleUpgrade(request.raw, upgrade.take(), Buffer.alloc(0), (socket) => {
        const client = createWebSocketStream(socket)
        client.on('error', () => undefined)
        const connect = (): void =>
          connectClient(client, container.streams, {
            ...{ kind: 'raw', outputs, detachKeys },
            stdin: OpenStdin && query.flag('stdin'),
            endsInput: StdinOnce && !Tty,
          })
        if (!query.flag('logs')) connect()
        else void replayLog(services, container, { client, kind: 'raw', outputs }).then(connect)
      })
    },
  )
}

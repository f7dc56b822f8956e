import type { Duplex } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { upgradeOf } from '../http/upgrade.ts'

/** What the bytes of a connection are that was taken over. */
export type StreamKind = 'raw' | 'multiplexed'

const HEAD_UPGRADED = 'HTTP/1.1 101 UPGRADED'
const HEAD_PLAIN = 'HTTP/1.1 200 OK'

/**
 * Takes the connection of a request: with an upgrade where the client asked for one, else as a response without an
 * end. Spec: Docker Engine API, POST /containers/{id}/attach
 */
export function hijack(request: FastifyRequest, reply: FastifyReply, kind: StreamKind): Duplex {
  const upgrade = upgradeOf(request.raw)
  reply.hijack()
  const type = `Content-Type: application/vnd.docker.${kind}-stream`
  if (upgrade === undefined) {
    const socket = request.raw.socket
    socket.write(`${HEAD_PLAIN}\r\n${type}\r\n\r\n`)
    return socket
  }
  const protocol = request.headers.upgrade ?? 'tcp'
  reply.raw.detachSocket(request.raw.socket)
  const socket = upgrade.take()
  socket.write(`${HEAD_UPGRADED}\r\n${type}\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`)
  return socket
}

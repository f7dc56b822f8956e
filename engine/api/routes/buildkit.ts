import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { TsbuildError } from '#core'
import { upgradeOf } from '../http/upgrade.ts'
import type { EngineServices } from '../services/engine-services.ts'

const PROTOCOL = 'h2c'

/** Connections on which BuildKit's clients speak gRPC, in either direction. Spec: Docker Engine API, POST /grpc and POST /session */
export function buildkitRoutes(app: FastifyInstance, services: EngineServices): void {
  app.post('/grpc', async (request, reply) => {
    checkUpgrade(request)
    const buildkit = await services.buildkit()
    buildkit.accept(takeConnection(request, reply))
    return reply
  })
  app.post('/session', async (request, reply) => {
    checkUpgrade(request)
    const buildkit = await services.buildkit()
    const { headers } = request.raw
    buildkit.checkSession(headers)
    buildkit.acceptSession(takeConnection(request, reply), headers)
    return reply
  })
}

function checkUpgrade(request: FastifyRequest): void {
  const { upgrade } = request.headers
  if (upgradeOf(request.raw) !== undefined && upgrade === PROTOCOL) return
  throw new TsbuildError(
    upgrade === undefined
      ? 'no upgrade proto in request'
      : `protocol ${JSON.stringify(upgrade.slice(0, 50))} not supported`,
    { code: 'USAGE' },
  )
}

function takeConnection(request: FastifyRequest, reply: FastifyReply): Duplex {
  const upgrade = upgradeOf(request.raw)
  if (upgrade === undefined) throw new Error('checked before')
  reply.hijack()
  reply.raw.detachSocket(request.raw.socket)
  const socket = upgrade.take()
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${PROTOCOL}\r\n\r\n`,
  )
  return socket
}

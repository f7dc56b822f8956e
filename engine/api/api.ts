import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Socket } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import { OwnTurns } from '#builder/threads'
import { formatVersion, NEWEST, readsTextErrors } from './http/api-version.ts'
import { OpenRequests } from './http/open-requests.ts'
import { refuseBrowsers } from './http/refuse-browsers.ts'
import { checkVersion, withoutVersion } from './http/request-version.ts'
import { messageOf, statusOf } from './http/status.ts'
import { answerUpgrade } from './http/upgrade.ts'
import { attachRoutes } from './routes/attach.ts'
import { buildRoutes } from './routes/build.ts'
import { buildkitRoutes } from './routes/buildkit.ts'
import { containerRoutes } from './routes/containers.ts'
import { execRoutes } from './routes/exec.ts'
import { fileRoutes } from './routes/files.ts'
import { imageRoutes } from './routes/images.ts'
import { networkRoutes } from './routes/networks.ts'
import { registryRoutes } from './routes/registry.ts'
import { swarmRoutes } from './routes/swarm.ts'
import { systemRoutes } from './routes/system.ts'
import { volumeRoutes } from './routes/volumes.ts'
import type { EngineServices } from './services/engine-services.ts'

/** A server of the Docker Engine API, which listens on nothing yet. Disposing ends all connections. */
export interface Api extends AsyncDisposable {
  /** Accepts requests of a server that listens. */
  readonly handle: Server
  /** Whether a request is being answered, or a connection was taken over. */
  isUsed(): boolean
}

/** Milliseconds in which the head of a request must come. */
const HEAD_PATIENCE = 30_000
/** Builds have the credentials of all registries in it, and their arguments and labels. */
const MOST_HEAD = 512 * 1024

/** Serves an engine. Spec: Docker Engine API 1.24 to 1.56 */
export async function createApi(services: EngineServices): Promise<Api> {
  const server = createServer({
    headersTimeout: HEAD_PATIENCE,
    // An archive of any size may come at any speed.
    requestTimeout: 0,
    maxHeaderSize: MOST_HEAD,
    keepAliveTimeout: 60_000,
  })
  // It accepts connections of others, and looks after slow ones only when it believes that it listens.
  server.emit('listening')
  const app = fastify({
    serverFactory: (handler) => server.on('request', handler),
    rewriteUrl: withoutVersion,
    forceCloseConnections: true,
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1024 },
  })
  // Bodies are read by the routes, as documents of known shape or as streams.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  addHeaders(app, services.version)
  app.setErrorHandler(async (error, request, reply) => {
    const status = statusOf(error)
    reply.status(status)
    if (status === 304) return await reply.send()
    const message = messageOf(error)
    if (!readsTextErrors(request.originalUrl)) return await reply.send({ message })
    return await reply.type('text/plain; charset=utf-8').send(`${message}\n`)
  })
  app.setNotFoundHandler(async (_request, reply) => {
    await reply.status(404).send({ message: 'page not found' })
  })
  const requests = new OpenRequests(server)
  systemRoutes(app, services)
  containerRoutes(app, services)
  execRoutes(app, services)
  fileRoutes(app, services)
  attachRoutes(app, services)
  imageRoutes(app, services)
  registryRoutes(app, services)
  buildRoutes(app, services)
  buildkitRoutes(app, services)
  networkRoutes(app, services)
  volumeRoutes(app, services)
  swarmRoutes(app)
  await app.ready()
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
    answerUpgrade(request, { socket, head }, (message, response) => app.routing(message, response)),
  )
  const close = async (): Promise<void> => {
    server.close()
    server.closeAllConnections()
    await app.close()
  }
  return { handle: server, isUsed: () => requests.count > 0, [Symbol.asyncDispose]: close }
}

function addHeaders(app: FastifyInstance, version: string): void {
  const turns = new OwnTurns()
  app.addHook('onRequest', async (request, reply) => {
    refuseBrowsers(request.raw)
    if (request.is404) return
    reply.headers({
      'Api-Version': formatVersion(NEWEST),
      Ostype: 'linux',
      Server: `Docker/${version} (linux)`,
    })
    checkVersion(request.raw)
    reply.header('Docker-Experimental', 'false')
    if (request.method !== 'GET' && request.method !== 'HEAD') await turns.take()
  })
  // Clients in Go compare the whole type.
  app.addHook('onSend', async (_request, reply, payload) => {
    const type = reply.getHeader('content-type')
    if (String(type).startsWith('application/json;'))
      reply.header('content-type', 'application/json')
    return await Promise.resolve(payload)
  })
}

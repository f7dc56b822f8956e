import type { FastifyInstance, FastifyRequest } from 'fastify'
import { TsbuildError } from '#core'
import type { Container, CreatedContainer, WaitCondition } from '#engine/containers'
import { CREATE_SHAPE, UPDATE_SHAPE } from '#engine/model'
import { ManifestDescriptors } from '../facts/manifest-descriptors.ts'
import { readBody, refuseBody } from '../http/body.ts'
import { Query } from '../http/query.ts'
import { versionOf } from '../http/request-version.ts'
import type { EngineServices } from '../services/engine-services.ts'
import { sendJsonLines } from '../streams/json-lines.ts'
import { listContainers, sizeOf as sizeOfFiles } from './container-list.ts'
import { pruneContainers } from './container-prune.ts'
import { inContainerVersion } from './container-versions.ts'
import { logRoutes } from './logs.ts'
import { statsOf } from './stats.ts'
import { topOf } from './top.ts'

/** The path of a route that is about one container. */
interface OfContainer {
  readonly Params: { readonly id: string }
}

type ContainerRequest = FastifyRequest<OfContainer>

/** What clients do with containers. */
export function containerRoutes(app: FastifyInstance, services: EngineServices): void {
  const { containers } = services
  const descriptors = new ManifestDescriptors(services)
  const find = (request: ContainerRequest): Container => containers.find(request.params.id)
  app.get(
    '/containers/json',
    async (request) => await listContainers(services, request, descriptors),
  )
  app.post('/containers/create', async (request, reply) => {
    const { container, warnings } = await createContainer(services, request)
    return await reply.status(201).send({ Id: container.id, Warnings: warnings })
  })
  app.get<OfContainer>('/containers/:id/json', async (request) => {
    const container = find(request)
    const size = new Query(request.url).flag('size') ? await sizeOfFiles(container, services) : {}
    const descriptor = await descriptors.of(container.record)
    await container.settled()
    const document = {
      ...services.inspect(container),
      ...(descriptor === undefined ? {} : { ImageManifestDescriptor: descriptor }),
    }
    return { ...inContainerVersion(document, versionOf(request)), ...size }
  })
  app.post<OfContainer>('/containers/:id/start', async (request, reply) => {
    await refuseBody(request)
    await find(request).start()
    return await reply.status(204).send()
  })
  app.post<OfContainer>('/containers/:id/stop', async (request, reply) => {
    await find(request).stop(stopOptions(request))
    return await reply.status(204).send()
  })
  app.post<OfContainer>('/containers/:id/restart', async (request, reply) => {
    await find(request).restart(stopOptions(request))
    return await reply.status(204).send()
  })
  app.post<OfContainer>('/containers/:id/kill', async (request, reply) => {
    await killContainer(find(request), request)
    return await reply.status(204).send()
  })
  app.post<OfContainer>('/containers/:id/pause', async (request, reply) => {
    await find(request).pause()
    return await reply.status(204).send()
  })
  app.post<OfContainer>('/containers/:id/unpause', async (request, reply) => {
    await find(request).resume()
    return await reply.status(204).send()
  })
  app.post<OfContainer>('/containers/:id/rename', async (request, reply) => {
    const container = find(request)
    containers.rename(container, new Query(request.url).text('name') ?? '')
    services.networks.running(container.record)?.rename(container.record)
    return await reply.status(204).send()
  })
  app.post<OfContainer>('/containers/:id/resize', async (request, reply) => {
    find(request).process().resize(sizeOf(request))
    return await reply.status(200).send()
  })
  app.delete<OfContainer>('/containers/:id', async (request, reply) => {
    const query = new Query(request.url)
    const volumes = query.flag('v') ? 'anonymous' : 'kept'
    await find(request).remove({ volumes, force: query.flag('force') })
    return await reply.status(204).send()
  })
  app.post<OfContainer>('/containers/:id/wait', async (request, reply) => {
    const container = find(request)
    const condition = conditionOf(new Query(request.url).text('condition'))
    const exit = container.wait(condition)
    // Clients start the container when they have the head.
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, { ...headersOf(reply.getHeaders()), 'Content-Type': 'application/json' })
    raw.flushHeaders()
    const code = await exit
    raw.end(`${JSON.stringify({ StatusCode: code })}\n`)
  })
  app.get<OfContainer>('/containers/:id/top', async (request) =>
    topOf(find(request), new Query(request.url).text('ps_args') ?? '-ef'),
  )
  app.get<OfContainer>('/containers/:id/stats', (request, reply) => {
    const query = new Query(request.url)
    const closed = new AbortController()
    reply.raw.on('close', () => closed.abort())
    const stats = statsOf(find(request), {
      stream: query.flagOrOn('stream'),
      oneShot: versionOf(request).minor >= 41 && query.flag('one-shot'),
      signal: closed.signal,
    })
    return sendJsonLines(reply, stats)
  })
  app.post<OfContainer>('/containers/:id/update', async (request) => {
    const warnings = await find(request).update(await readBody(request, UPDATE_SHAPE))
    return { Warnings: warnings.length === 0 ? null : warnings }
  })
  app.post('/containers/prune', async (request) => await pruneContainers(services, request))
  logRoutes(app, services)
}

/** Says of whom in the client's own words. */
async function killContainer(container: Container, request: ContainerRequest): Promise<void> {
  try {
    await container.kill(new Query(request.url).text('signal'))
  } catch (cause) {
    if (!(cause instanceof TsbuildError)) throw cause
    const { code, message } = cause
    if (code !== 'CONFLICT' && code !== 'USAGE') throw cause
    throw new TsbuildError(`cannot kill container: ${request.params.id}: ${message}`, {
      ...{ code, cause },
    })
  }
}

function headersOf(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

async function createContainer(
  services: EngineServices,
  request: FastifyRequest,
): Promise<CreatedContainer> {
  const query = new Query(request.url)
  const body = await readBody(request, CREATE_SHAPE)
  const { Image = '' } = body
  if (Image === '') {
    throw new TsbuildError('config cannot be empty in order to create a container', {
      code: 'USAGE',
    })
  }
  return await services.containers.create({
    name: query.text('name'),
    body,
    find: () => services.images.resolve(Image, query.text('platform')),
    mountPoints: (record) => services.mountPoints(record),
  })
}

function stopOptions(request: FastifyRequest): Parameters<Container['stop']>[0] {
  const query = new Query(request.url)
  return { signal: query.text('signal'), seconds: query.integer('t') }
}

/** Of a terminal. @throws {TsbuildError} USAGE */
export function sizeOf(request: FastifyRequest): {
  readonly columns: number
  readonly rows: number
} {
  const query = new Query(request.url)
  const [rows, columns] = [query.integer('h'), query.integer('w')]
  if (rows !== undefined && columns !== undefined) return { rows, columns }
  throw new TsbuildError('invalid size of a terminal', { code: 'USAGE' })
}

const CONDITIONS: readonly WaitCondition[] = ['not-running', 'next-exit', 'removed']

function conditionOf(text: string = 'not-running'): WaitCondition {
  const found = CONDITIONS.find((one) => one === text)
  if (found !== undefined) return found
  throw new TsbuildError(`invalid condition: ${JSON.stringify(text)}`, { code: 'USAGE' })
}

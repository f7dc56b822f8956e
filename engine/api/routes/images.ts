import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { TsbuildError } from '#core'
import {
  importImage,
  loadArchive,
  type ProgressMessage,
  pullImage,
  pushImage,
} from '#engine/images'
import { platformText, readPlatform } from '../http/platform.ts'
import { Query } from '../http/query.ts'
import { versionOf } from '../http/request-version.ts'
import type { EngineServices } from '../services/engine-services.ts'
import { goneSignal, sendProgress } from '../streams/progress.ts'
import { authOf } from './registry.ts'

/** The path of a route that is about one image, whose name may have slashes, and what is asked of it. */
interface OfImage {
  readonly Params: { readonly '*': string }
}

type ImageRequest = FastifyRequest<OfImage>

/** What clients do with images. */
export function imageRoutes(app: FastifyInstance, services: EngineServices): void {
  const { images } = services
  app.get('/images/json', async (request) => {
    const query = new Query(request.url)
    const { minor } = versionOf(request)
    const asked = {
      filters: listFilters(query, minor),
      sharedSize: minor >= 42 && query.flag('shared-size'),
      manifests: minor >= 47 && query.flag('manifests'),
    }
    if (minor >= 54 && query.flag('identity') && !asked.manifests) {
      const message = 'conflicting options: identity requires manifests=1'
      throw new TsbuildError(message, { code: 'USAGE' })
    }
    return await images.list(asked, minor)
  })
  app.post('/images/create', async (request, reply) => {
    return await sendProgress(reply, create(services, request, reply))
  })
  app.post('/images/load', async (request, reply) => {
    const query = new Query(request.url)
    const quiet = !query.has('quiet') || query.flag('quiet')
    const loading = { archive: request.raw, platform: platformsOf(request)[0], quiet }
    const signal = goneSignal(reply)
    return await sendProgress(reply, loadArchive(images, { ...loading, signal }))
  })
  app.post('/images/prune', async (request) => {
    return await images.prune(new Query(request.url).text('filters'))
  })
  app.get('/images/get', async (request, reply) => {
    return await save(services, request, { reply, names: new Query(request.url).all('names') })
  })
  app.get<OfImage>('/images/*', (request, reply) => readImage(services, request, reply))
  app.post<OfImage>('/images/*', (request, reply) => changeImage(services, request, reply))
  app.delete<OfImage>('/images/*', async (request) => {
    const name = request.params['*']
    if (name.trim() === '') throw new TsbuildError('image name cannot be blank', { code: 'USAGE' })
    return await images.remove(name, { force: new Query(request.url).flag('force') })
  })
}

/** Until 1.24 a pattern of names had a parameter of its own. */
function listFilters(query: Query, minor: number): string | undefined {
  const pattern = query.text('filter')
  const filters = query.text('filters')
  if (minor > 24 || pattern === undefined || filters !== undefined) return filters
  return JSON.stringify({ reference: [pattern] })
}

function create(
  { images }: EngineServices,
  request: FastifyRequest,
  reply: FastifyReply,
): AsyncIterable<ProgressMessage> {
  const query = new Query(request.url)
  const platform = versionOf(request).minor >= 32 ? query.text('platform') : undefined
  const tag = query.text('tag')
  const signal = goneSignal(reply)
  const image = query.text('fromImage')
  if (image !== undefined) {
    return pullImage(images, { image, tag, platform, auth: authOf(request), signal })
  }
  const source = query.text('fromSrc')
  if (source === undefined) {
    throw new TsbuildError('one of fromImage and fromSrc is needed', { code: 'USAGE' })
  }
  const repository = query.text('repo')
  const message = query.text('message')
  const changes = query.all('changes')
  const imported = { source, body: request.raw, repository, tag, message, changes, platform }
  return importImage(images, { ...imported, signal })
}

/** @throws {TsbuildError} NOT_FOUND for a path that no route has */
async function readImage(
  services: EngineServices,
  request: ImageRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { images } = services
  const { text, action } = splitPath(request)
  const query = new Query(request.url)
  const { minor } = versionOf(request)
  switch (action) {
    case 'json': {
      const platform = minor >= 49 ? readPlatform(query.text('platform')) : undefined
      const manifests = minor >= 48 && query.flag('manifests')
      return await images.inspect({ text, platform, manifests }, minor)
    }
    case 'history': {
      const platform = minor >= 48 ? readPlatform(query.text('platform')) : undefined
      return await images.history({ text, platform })
    }
    case 'get':
      return await save(services, request, { reply, names: [text] })
    case 'attestations': {
      const [platform, ...others] = query.all('platform')
      if (others.length > 0) {
        const message = 'only one platform value is currently supported'
        throw new TsbuildError(message, { code: 'USAGE' })
      }
      const types = query
        .all('type')
        .map((type) => type.trim())
        .filter((type) => type !== '')
      const asked = { platform: readPlatform(platform || undefined), types }
      return await images.attestations(text, { ...asked, statement: query.flag('statement') })
    }
    default:
      throw unknownPathError()
  }
}

async function changeImage(
  { images }: EngineServices,
  request: ImageRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { text, action } = splitPath(request)
  const query = new Query(request.url)
  const tag = query.text('tag')
  switch (action) {
    case 'tag':
      await images.tag(text, query.text('repo') ?? '', tag)
      return await reply.status(201).send()
    case 'push': {
      const isKnown = versionOf(request).minor >= 46
      const platform = isKnown ? platformText(readPlatform(query.text('platform'))) : undefined
      const signal = goneSignal(reply)
      const pushed = { name: text, tag, platform, auth: authOf(request), signal }
      return await sendProgress(reply, pushImage(images, pushed))
    }
    default:
      throw unknownPathError()
  }
}

/** `NAME/ACTION`, where a name may have slashes. */
function splitPath({ params }: ImageRequest): { readonly text: string; readonly action: string } {
  const path = params['*']
  const slash = path.lastIndexOf('/')
  return { text: path.slice(0, Math.max(0, slash)), action: path.slice(slash + 1) }
}

function unknownPathError(): TsbuildError {
  return new TsbuildError('page not found', { code: 'NOT_FOUND' })
}

/** @throws {TsbuildError} USAGE for several of them before 1.52 */
function platformsOf(request: FastifyRequest) {
  const { minor } = versionOf(request)
  const texts = minor >= 48 ? new Query(request.url).all('platform') : []
  if (texts.length > 1 && minor < 52) {
    const message =
      'multiple platform parameters are not supported in this API version; use API version 1.52 or later'
    throw new TsbuildError(message, { code: 'USAGE' })
  }
  return texts.flatMap((text) => readPlatform(text) ?? [])
}

interface SaveRequest {
  readonly reply: FastifyReply
  readonly names: readonly string[]
}

async function save(
  { images }: EngineServices,
  request: FastifyRequest,
  { reply, names }: SaveRequest,
): Promise<FastifyReply> {
  if (names.length === 0) throw new TsbuildError('no image is named', { code: 'USAGE' })
  const [platform] = platformsOf(request)
  const archive = await images.save(names, platform)
  return reply.type('application/x-tar').send(archive)
}

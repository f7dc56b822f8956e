import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isJsonObject, shapes } from '#core'
import { distributionInfo, login, searchImages } from '#engine/images'
import { readBody } from '../http/body.ts'
import { Query } from '../http/query.ts'
import type { EngineServices } from '../services/engine-services.ts'
import { goneSignal } from '../streams/progress.ts'

/** What clients ask of registries. */
export function registryRoutes(app: FastifyInstance, { images }: EngineServices): void {
  const { network = {} } = images.options
  app.post('/auth', async (request, reply) => {
    const document = await readBody(request, shapes.any)
    const signal = goneSignal(reply)
    return await login(isJsonObject(document) ? document : {}, { ...network, signal })
  })
  app.get('/images/search', async (request, reply) => {
    const query = new Query(request.url)
    const asked = {
      term: query.text('term') ?? '',
      limit: query.integer('limit'),
      filters: query.text('filters'),
      auth: authOf(request),
    }
    return await searchImages(asked, { ...network, signal: goneSignal(reply) })
  })
  app.get<{ readonly Params: { readonly '*': string } }>(
    '/distribution/*',
    async (request, reply) => {
      const name = request.params['*'].replace(/\/json$/, '')
      const signal = goneSignal(reply)
      return await distributionInfo(name, authOf(request), { ...network, signal })
    },
  )
}

/** The credentials that come with a request. */
export function authOf({ headers }: FastifyRequest): string | undefined {
  const value = headers['x-registry-auth']
  return typeof value === 'string' ? value : undefined
}

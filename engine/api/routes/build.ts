import type { FastifyInstance } from 'fastify'
import { TsbuildError } from '#core'
import { Builds, buildImage, pruneBuildCache, readBuildQuery } from '#engine/images'
import { Query } from '../http/query.ts'
import { versionOf } from '../http/request-version.ts'
import type { EngineServices } from '../services/engine-services.ts'
import { goneSignal, sendProgress } from '../streams/progress.ts'

/** Building images, and the cache of it. */
export function buildRoutes(app: FastifyInstance, { images }: EngineServices): void {
  const builds = new Builds()
  app.post('/build', async (request, reply) => {
    const build = readBuildQuery(new Query(request.url), request.raw)
    const header = request.headers['x-registry-config']
    const auth = typeof header === 'string' ? header : undefined
    const { minor } = versionOf(request)
    const deps = { builds, auth, minor, signal: goneSignal(reply) }
    return await sendProgress(reply, buildImage(images, build, deps))
  })
  app.post('/build/prune', async (request) => {
    return await pruneBuildCache(images, new Query(request.url), versionOf(request).minor)
  })
  app.post('/build/cancel', async (request, reply) => {
    const id = new Query(request.url).text('id')
    if (id === undefined) throw new TsbuildError('build ID not provided', { code: 'USAGE' })
    builds.cancel(id)
    return await reply.status(200).send()
  })
}

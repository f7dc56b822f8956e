import type { FastifyInstance } from 'fastify'
import { TsbuildError } from '#core'
import {
  Builds,
  buildImage,
  pruneBuildCache,
  readBuildQuery,
  readSessionQuery,
} from '#engine/images'
import { Query } from '../http/query.ts'
import { versionOf } from '../http/request-version.ts'
import type { EngineServices } from '../services/engine-services.ts'
import { sendJsonLines } from '../streams/json-lines.ts'
import { goneSignal, sendProgress } from '../streams/progress.ts'
import { sessionBuildMessages } from '../streams/session-build.ts'

/** Building images, and the cache of it. */
export function buildRoutes(app: FastifyInstance, { images, buildkit }: EngineServices): void {
  const builds = new Builds()
  app.post('/build', async (request, reply) => {
    const query = new Query(request.url)
    if (query.text('version') === '2') {
      const asked = readSessionQuery(query)
      const deps = { door: await buildkit(), builds, signal: goneSignal(reply) }
      return sendJsonLines(reply, sessionBuildMessages(asked, deps))
    }
    const build = readBuildQuery(query, request.raw)
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

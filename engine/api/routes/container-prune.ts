import type { FastifyRequest } from 'fastify'
import type { JsonObject } from '#core'
import { matchesLabels, parseTime, untilFilter } from '#engine/model'
import { Query } from '../http/query.ts'
import type { EngineServices } from '../services/engine-services.ts'

/** Removes containers that do not run. @throws {TsbuildError} USAGE */
export async function pruneContainers(
  { containers, files }: EngineServices,
  request: FastifyRequest,
): Promise<JsonObject> {
  const filters = new Query(request.url).filters(['label', 'label!', 'until'])
  const isOld = untilFilter(filters)
  const old = containers.all().filter(({ isRunning, record }) => {
    const isUnused = !isRunning && record.state.status !== 'removing'
    return (
      isUnused && matchesLabels(filters, record.config.Labels) && isOld(parseTime(record.created))
    )
  })
  const sizes = await Promise.all(
    old.map(async (one) => {
      const { changed } = await files.size(one)
      await one.remove({ volumes: 'kept', force: false })
      return changed
    }),
  )
  return {
    ContainersDeleted: old.length === 0 ? null : old.map(({ id }) => id),
    SpaceReclaimed: sizes.reduce((sum, size) => sum + size, 0),
  }
}

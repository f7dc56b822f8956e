import type { FastifyRequest } from 'fastify'
import { type JsonObject, TsbuildError } from '#core'
import type { Container } from '#engine/containers'
import { type Filters, matchesLabels } from '#engine/model'
import { parseDuration } from '#parser'
import { Query } from '../http/query.ts'
import type { EngineServices } from '../services/engine-services.ts'
import { parseMoment } from './event-stream.ts'

/** Removes containers that do not run. @throws {TsbuildError} USAGE */
export async function pruneContainers(
  { containers }: EngineServices,
  request: FastifyRequest,
): Promise<JsonObject> {
  const filters = new Query(request.url).filters(['label', 'label!', 'until'])
  const until = untilOf(filters)
  const old = containers.all().filter((one) => isUnused(one) && fits(one, filters, until))
  await Promise.all(old.map((one) => one.remove({ volumes: 'kept', force: false })))
  return { ContainersDeleted: old.map(({ id }) => id), SpaceReclaimed: 0 }
}

function isUnused({ record }: Container): boolean {
  const { status } = record.state
  return status === 'created' || status === 'exited' || status === 'dead'
}

function fits({ record }: Container, filters: Filters, until: bigint | undefined): boolean {
  const created = BigInt(Date.parse(record.created)) * 1_000_000n
  return matchesLabels(filters, record.config.Labels) && (until === undefined || created < until)
}

/** A moment, or a span before now. @throws {TsbuildError} USAGE */
function untilOf(filters: Filters): bigint | undefined {
  const [text, second] = filters.get('until') ?? []
  if (second !== undefined) {
    throw new TsbuildError('more than one until filter specified', { code: 'USAGE' })
  }
  if (text === undefined) return undefined
  const span = parseDuration(text)
  return typeof span === 'number'
    ? BigInt(Date.now()) * 1_000_000n - BigInt(Math.round(span))
    : parseMoment(text)
}

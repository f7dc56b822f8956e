import { clientFor, type ImageOptions } from '#builder'
import { type JsonObject, TsbuildError } from '#core'
import { booleanFilter, parseFilters } from '#engine/model'
import { credentialsFor } from './request-credentials.ts'

/** The query and the headers of `GET /images/search`. */
export interface SearchQuery {
  /** A part of a name, after a registry other than Docker Hub. */
  readonly term: string
  readonly limit?: number | undefined
  readonly filters?: string | undefined
  /** `X-Registry-Auth` */
  readonly auth?: string | undefined
}

const FILTERS = ['is-automated', 'is-official', 'stars']
const DEFAULT_LIMIT = 25
const MOST = 100

/** Spec: Docker Engine API, ImageSearchResponseItem. @throws {TsbuildError} USAGE, registry failures */
export async function searchImages(
  { term, limit = DEFAULT_LIMIT, ...query }: SearchQuery,
  network: ImageOptions,
): Promise<readonly JsonObject[]> {
  const filters = parseFilters(query.filters, FILTERS)
  const wanted = limit === 0 ? DEFAULT_LIMIT : limit
  if (wanted < 1 || wanted > MOST) {
    throw usageError(`limit ${limit} is outside the range of [1, ${MOST}]`)
  }
  if (term.includes('://')) {
    throw usageError(`invalid repository name: repository name (${term}) should not have a scheme`)
  }
  const { registry, name } = splitTerm(term)
  const stars = Math.max(0, ...(filters.get('stars') ?? []).map(starsOf))
  const isOfficial = booleanFilter(filters, 'is-official')
  if (booleanFilter(filters, 'is-automated') === true) return []
  await using client = clientFor({ ...network, credentials: credentialsFor(registry, query.auth) })
  const { signal } = network
  const found = await client.search(registry, { term: name, limit: wanted, signal })
  return found
    .filter((one) => one.stars >= stars)
    .filter((one) => isOfficial === undefined || one.isOfficial === isOfficial)
    .map((one) => ({
      star_count: one.stars,
      is_official: one.isOfficial,
      name: registry === HUB ? one.name : `${registry}/${one.name}`,
      is_automated: false,
      description: one.description,
    }))
}

const HUB = 'docker.io'

function splitTerm(term: string): { readonly registry: string; readonly name: string } {
  const slash = term.indexOf('/')
  const first = term.slice(0, Math.max(0, slash))
  const isHost = /[.:]/.test(first) || first === 'localhost'
  if (!isHost) return { registry: HUB, name: term.replace(/^library\//, '') }
  const registry = first === 'index.docker.io' ? HUB : first
  return { registry, name: term.slice(slash + 1) }
}

function starsOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw usageError(`invalid filter 'stars=${text.slice(0, 50)}'`)
}

function usageError(message: string): TsbuildError {
  return new TsbuildError(message, { code: 'USAGE' })
}

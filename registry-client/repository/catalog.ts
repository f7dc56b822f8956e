import { MAX_DOCUMENT_BYTES, readDocument, shapes, type TransferOptions } from '#core'
import type { HttpResponse } from '#http'
import { CATALOG_SCOPE } from '../auth/scope.ts'
import type { Endpoint } from '../endpoint/endpoint.ts'
import { nextPage } from './pages.ts'

/** A repository that a search found. */
export interface FoundRepository {
  /** Without the registry. */
  readonly name: string
  readonly description: string
  readonly stars: number
  readonly isOfficial: boolean
}

/** What is searched for. */
export interface SearchOptions extends TransferOptions {
  /** A part of the name. */
  readonly term: string
  /** At most so many. */
  readonly limit: number
}

const { boolean, integer, list, object, string } = shapes
const RESULTS = object({
  results: list(
    object({ name: string, description: string, star_count: integer, is_official: boolean }),
  ),
})
const CATALOG = object({ repositories: list(string) })
const PAGE = 1000
const MOST_PAGES = 20

/**
 * Searches a registry as docker does, `/v1/search`, and where it does not have that by the names in its catalog,
 * which says nothing else. Spec: docker's registry API v1; distribution-spec v1.1, `_catalog` of docker's registry
 * @throws {RegistryError} where it has, or allows, neither
 */
export async function searchRegistry(
  endpoint: Endpoint,
  options: SearchOptions,
): Promise<readonly FoundRepository[]> {
  return (await searchIndex(endpoint, options)) ?? (await searchCatalog(endpoint, options))
}

async function searchIndex(
  endpoint: Endpoint,
  { term, limit, signal }: SearchOptions,
): Promise<readonly FoundRepository[] | undefined> {
  const { origin } = await endpoint.channel()
  const query = new URLSearchParams({ q: term, n: String(limit) })
  const response = await endpoint.call({
    doing: `search ${endpoint.registry}`,
    method: 'GET',
    to: new URL(`/v1/search?${query}`, origin),
    expect: [200, 301, 302, 401, 403, 404, 405],
    limit: MAX_DOCUMENT_BYTES,
    signal,
  })
  // Some registries show people a page under every address.
  const isJson = /\bjson\b/.test(response.headers['content-type'] ?? '')
  if (response.status !== 200 || !isJson) return undefined
  const { results = [] } = readDocument(response.body, RESULTS, READING)
  return results.slice(0, limit).map(({ name = '', description = '', ...found }) => ({
    name,
    description,
    stars: found.star_count ?? 0,
    isOfficial: found.is_official ?? false,
  }))
}

async function searchCatalog(
  endpoint: Endpoint,
  { term, limit, signal }: SearchOptions,
): Promise<readonly FoundRepository[]> {
  const found: string[] = []
  const { origin } = await endpoint.channel()
  let to: string | URL | undefined = `_catalog?n=${PAGE}`
  for (let page = 0; page < MOST_PAGES && found.length < limit && to !== undefined; page++) {
    const response: HttpResponse = await endpoint.call({
      doing: `search ${endpoint.registry}`,
      method: 'GET',
      to,
      expect: [200],
      limit: MAX_DOCUMENT_BYTES,
      scopes: [CATALOG_SCOPE],
      signal,
    })
    const { repositories = [] } = readDocument(response.body, CATALOG, READING)
    found.push(...repositories.filter((name) => name.includes(term)))
    to = nextPage(response, origin)
  }
  const names = [...new Set(found)].slice(0, limit)
  return names.map((name) => ({ name, description: '', stars: 0, isOfficial: false }))
}

const READING = { what: 'answer to a search', code: 'REGISTRY_FAILED' } as const

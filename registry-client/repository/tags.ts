import { MAX_DOCUMENT_BYTES, readDocument, shapes, type TransferOptions } from '#core'
import type { HttpResponse } from '#http'
import { pullScope } from '../auth/scope.ts'
import { nextPage } from './pages.ts'
import type { RepositoryRef } from './repository-ref.ts'

/** Which tags are listed. */
export interface ListTagsOptions extends TransferOptions {
  /**
   * Those behind this one in ASCII order; it need not exist. A registry that does not know the parameter
   * lists all of them.
   */
  readonly after?: string | undefined
  /** Answers that are asked for at the most, of up to 1000 tags each. */
  readonly pages: number
}

const PAGE = 1000

const { list, object, string } = shapes
const TAGS = object({ name: string, tags: list(string) })

/**
 * The tags of a repository, in no order.
 * Spec: distribution-spec v1.1 #listing-tags
 * @throws {RegistryError} NOT_FOUND when there is no such repository
 */
export async function listTags(
  ref: RepositoryRef,
  { after, pages, signal }: ListTagsOptions,
): Promise<readonly string[]> {
  const found = new Set<string>()
  const query = new URLSearchParams({ n: String(PAGE), ...(after && { last: after }) })
  const { origin } = await ref.endpoint.channel()
  let to: string | URL | undefined = `${ref.name}/tags/list?${query}`
  for (let page = 0; page < pages && to !== undefined; page++) {
    const response: HttpResponse = await ref.endpoint.call({
      doing: `list tags of ${ref.endpoint.registry}/${ref.name}`,
      method: 'GET',
      to,
      expect: [200],
      limit: MAX_DOCUMENT_BYTES,
      scopes: [pullScope(ref.name)],
      signal,
    })
    const { tags = [] } = readDocument(response.body, TAGS, READING)
    for (const tag of tags) found.add(tag)
    to = nextPage(response, origin)
  }
  return [...found]
}

const READING = { what: 'list of tags', code: 'REGISTRY_FAILED' } as const

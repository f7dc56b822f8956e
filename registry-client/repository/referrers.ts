import {
  type Descriptor,
  type Digest,
  hexOf,
  isIndexType,
  MAX_DOCUMENT_BYTES,
  parseIndex,
  type TransferOptions,
  TsbuildError,
} from '#core'
import { pullScope } from '../auth/scope.ts'
import { resolveLocation } from '../endpoint/location.ts'
import { fetchManifest } from './manifests.ts'
import type { RepositoryRef } from './repository-ref.ts'

/** What refers to a manifest: signatures, attestations, and the like. */
export interface Referrers {
  readonly descriptors: readonly Descriptor[]
  /** The registry does not list them: clients keep the list under this tag. */
  readonly tag: string | undefined
}

const MOST_PAGES = 20
const NEXT = /<([^>]{1,2000})>\s*;\s*rel="?next"?/i

/**
 * The manifests whose subject is this one.
 * Spec: distribution-spec v1.1 #listing-referrers and its tag schema
 */
export async function listReferrers(
  ref: RepositoryRef,
  digest: Digest,
  { signal }: TransferOptions,
): Promise<Referrers> {
  const descriptors: Descriptor[] = []
  let to: string | URL = `${ref.name}/referrers/${digest}`
  for (let page = 0; page < MOST_PAGES; page++) {
    const response = await ref.endpoint.call({
      doing: `list referrers of ${digest}`,
      method: 'GET',
      to,
      expect: [200, 404],
      limit: MAX_DOCUMENT_BYTES,
      scopes: [pullScope(ref.name)],
      signal,
    })
    if (response.status === 404) return await taggedReferrers(ref, digest, { signal })
    descriptors.push(...parseIndex(response.body).manifests)
    const next = NEXT.exec(response.headers.link ?? '')?.[1]
    if (next === undefined) break
    to = resolveLocation(next, response.url, (await ref.endpoint.channel()).origin)
  }
  return { descriptors, tag: undefined }
}

async function taggedReferrers(
  ref: RepositoryRef,
  digest: Digest,
  options: TransferOptions,
): Promise<Referrers> {
  const tag = `sha256-${hexOf(digest)}`
  try {
    const { descriptor, bytes } = await fetchManifest(ref, tag, options)
    // Other tools have signatures under such a tag that are no list.
    if (!isIndexType(descriptor.mediaType)) return { descriptors: [], tag }
    return { descriptors: parseIndex(bytes, descriptor.mediaType).manifests, tag }
  } catch (cause) {
    if (cause instanceof TsbuildError && cause.code === 'NOT_FOUND') return { descriptors: [], tag }
    throw cause
  }
}

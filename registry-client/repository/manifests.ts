import {
  type Descriptor,
  type Digest,
  digestOf,
  fetchUndamaged,
  isDigest,
  isIndexType,
  isManifestType,
  MAX_DOCUMENT_BYTES,
  MEDIA_TYPES,
  parseManifestOrIndex,
  type TransferOptions,
  TsbuildError,
} from '#core'
import type { HttpResponse } from '../../http/exchange.ts'
import { pullScope, pushScope } from '../auth/scope.ts'
import type { Endpoint } from '../endpoint/endpoint.ts'
import { plainText, RegistryError } from '../errors.ts'

/** A repository on its registry. */
export interface Place {
  readonly endpoint: Endpoint
  readonly name: string
}

export interface FetchedManifest {
  readonly descriptor: Descriptor
  /** Verified: they have the descriptor's digest. */
  readonly bytes: Buffer
}

const ACCEPT = [
  MEDIA_TYPES.ociIndex,
  MEDIA_TYPES.ociManifest,
  MEDIA_TYPES.dockerIndex,
  MEDIA_TYPES.dockerManifest,
  '*/*',
].join(', ')

/** Types that servers put on documents whose type they do not know. */
const GENERIC_TYPES = new Set(['', 'application/json', 'application/octet-stream', 'text/plain'])

/** HEAD, which registries do not count against pull limits; GET where its answer is not enough. */
export async function resolveManifest(
  place: Place,
  tagOrDigest: string,
  options: TransferOptions,
): Promise<Descriptor> {
  const response = await place.endpoint.call({
    doing: `resolve ${nameOf(place, tagOrDigest)}`,
    method: 'HEAD',
    to: `${place.name}/manifests/${tagOrDigest}`,
    expect: [200, 405],
    headers: { accept: ACCEPT },
    scopes: [pullScope(place.name)],
    signal: options.signal,
  })
  const described = response.status === 200 ? describedBy(response) : undefined
  if (described === undefined) return (await fetchManifest(place, tagOrDigest, options)).descriptor
  if (isDigest(tagOrDigest) && described.digest !== tagOrDigest) {
    throw wrongDigest(`resolve ${nameOf(place, tagOrDigest)}`, described.digest)
  }
  return described
}

/** Spec: distribution-spec v1.1 #pulling-manifests */
export function fetchManifest(
  place: Place,
  tagOrDigest: string,
  options: TransferOptions,
): Promise<FetchedManifest> {
  return fetchUndamaged(() => fetchOnce(place, tagOrDigest, options))
}

async function fetchOnce(
  place: Place,
  tagOrDigest: string,
  options: TransferOptions,
): Promise<FetchedManifest> {
  const doing = `fetch manifest ${nameOf(place, tagOrDigest)}`
  const response = await place.endpoint.call({
    doing,
    method: 'GET',
    to: `${place.name}/manifests/${tagOrDigest}`,
    expect: [200],
    headers: { accept: ACCEPT },
    limit: MAX_DOCUMENT_BYTES,
    scopes: [pullScope(place.name)],
    signal: options.signal,
  })
  const bytes = response.body
  const digest = digestOf(bytes)
  const promised = isDigest(tagOrDigest) ? tagOrDigest : response.headers['docker-content-digest']
  if (promised !== undefined && isDigest(promised) && promised !== digest) {
    throw wrongDigest(doing, digest)
  }
  const mediaType = manifestType(bytes, contentType(response), doing)
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes }
}

/** Spec: distribution-spec v1.1 #pushing-manifests */
export async function putManifest(
  place: Place,
  tagOrDigest: string,
  { mediaType, bytes, signal }: { mediaType: string; bytes: Uint8Array } & TransferOptions,
): Promise<Digest> {
  const doing = `push manifest ${nameOf(place, tagOrDigest)}`
  const digest = digestOf(bytes)
  if (isDigest(tagOrDigest) && tagOrDigest !== digest) throw wrongDigest(doing, digest)
  const response = await place.endpoint.call({
    doing,
    method: 'PUT',
    to: `${place.name}/manifests/${tagOrDigest}`,
    expect: [200, 201, 204],
    headers: { 'content-type': mediaType },
    body: { kind: 'document', bytes },
    scopes: [pushScope(place.name)],
    signal,
  })
  const stored = response.headers['docker-content-digest']
  if (stored !== undefined && stored !== digest) throw wrongDigest(doing, stored)
  return digest
}

/** `host/name:tag` or `host/name@digest`. */
export function nameIn(
  repository: { readonly registry: string; readonly name: string },
  tagOrDigest: string,
): string {
  const separator = tagOrDigest.includes(':') ? '@' : ':'
  return `${repository.registry}/${repository.name}${separator}${tagOrDigest}`
}

function nameOf({ endpoint, name }: Place, tagOrDigest: string): string {
  return nameIn({ registry: endpoint.registry, name }, tagOrDigest)
}

function describedBy(response: HttpResponse): Descriptor | undefined {
  const { 'docker-content-digest': digest = '', 'content-length': length = '' } = response.headers
  const mediaType = contentType(response)
  const isKnown = isManifestType(mediaType) || isIndexType(mediaType)
  if (!isKnown || !isDigest(digest) || !/^\d{1,15}$/.test(length)) return undefined
  return { mediaType, digest, size: Number(length) }
}

/**
 * The type of a manifest. The header and the document must agree: bytes that are read as one thing
 * here and as another thing elsewhere are an attack. See GHSA-77vh-xpmg-72qh.
 */
function manifestType(bytes: Buffer, header: string, doing: string): string {
  if (header.startsWith('application/vnd.docker.distribution.manifest.v1')) {
    throw new TsbuildError(`${doing}: docker's schema 1 manifests are not supported`, {
      code: 'MANIFEST_INVALID',
      hint: 'push the image again with a current tool',
    })
  }
  try {
    const parsed = parseManifestOrIndex(bytes, header)
    const { mediaType } = parsed.kind === 'index' ? parsed.index : parsed.manifest
    if (mediaType === header || GENERIC_TYPES.has(header)) return mediaType
    throw new TsbuildError(`it is a ${mediaType}, sent as ${plainText(header)}`, {
      code: 'MANIFEST_INVALID',
    })
  } catch (cause) {
    if (!(cause instanceof TsbuildError)) throw cause
    throw new RegistryError(`${doing}: ${cause.message}`, {
      code: cause.code,
      hint: 'the registry holds something that is not an image, or it is damaged',
      cause,
    })
  }
}

function contentType(response: HttpResponse): string {
  return (response.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function wrongDigest(doing: string, digest: string): RegistryError {
  return new RegistryError(`${doing}: the registry has the digest ${plainText(digest)}`, {
    code: 'DIGEST_MISMATCH',
    hint: 'the content was damaged or replaced on its way; nothing of it was kept',
  })
}

import {
  type Descriptor,
  type Digest,
  digestOf,
  type EncodedDocument,
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
import type { HttpResponse } from '#http'
import { deleteScope, pullScope, pushScope } from '../auth/scope.ts'
import { plainText, RegistryError } from '../errors.ts'
import { type RepositoryRef, taggedName } from './repository-ref.ts'

/** A manifest or index as it was stored. */
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

/** Types that servers send for documents of an unknown type. */
const GENERIC_TYPES = new Set(['', 'application/json', 'application/octet-stream', 'text/plain'])

/**
 * The descriptor behind a tag or digest: by HEAD, which registries do not count against pull limits,
 * and by GET where its answer is not enough.
 */
export async function resolveManifest(
  ref: RepositoryRef,
  tagOrDigest: string,
  options: TransferOptions,
): Promise<Descriptor> {
  const response = await ref.endpoint.call({
    doing: `resolve ${taggedName(ref, tagOrDigest)}`,
    method: 'HEAD',
    to: `${ref.name}/manifests/${tagOrDigest}`,
    expect: [200, 405],
    headers: { accept: ACCEPT },
    scopes: [pullScope(ref.name)],
    signal: options.signal,
  })
  const described = response.status === 200 ? describedBy(response) : undefined
  if (described === undefined) return (await fetchManifest(ref, tagOrDigest, options)).descriptor
  if (isDigest(tagOrDigest) && described.digest !== tagOrDigest) {
    throw wrongDigestError(`resolve ${taggedName(ref, tagOrDigest)}`, described.digest)
  }
  return described
}

/**
 * Fetches a manifest or index and checks its digest and type.
 * Spec: distribution-spec v1.1 #pulling-manifests
 * @throws {TsbuildError} NOT_FOUND, DIGEST_MISMATCH, MANIFEST_INVALID
 */
export function fetchManifest(
  ref: RepositoryRef,
  tagOrDigest: string,
  options: TransferOptions,
): Promise<FetchedManifest> {
  return fetchUndamaged(() => fetchOnce(ref, tagOrDigest, options))
}

async function fetchOnce(
  ref: RepositoryRef,
  tagOrDigest: string,
  options: TransferOptions,
): Promise<FetchedManifest> {
  const doing = `fetch manifest ${taggedName(ref, tagOrDigest)}`
  const response = await ref.endpoint.call({
    doing,
    method: 'GET',
    to: `${ref.name}/manifests/${tagOrDigest}`,
    expect: [200],
    headers: { accept: ACCEPT },
    limit: MAX_DOCUMENT_BYTES,
    scopes: [pullScope(ref.name)],
    signal: options.signal,
  })
  const bytes = response.body
  const digest = digestOf(bytes)
  const promised = isDigest(tagOrDigest) ? tagOrDigest : response.headers['docker-content-digest']
  if (promised !== undefined && isDigest(promised) && promised !== digest) {
    throw wrongDigestError(doing, digest)
  }
  const mediaType = manifestType(bytes, contentType(response), doing)
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes }
}

/** A manifest that is to be stored. */
interface NewManifest extends TransferOptions {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** Milliseconds before a manifest is sent again. */
const UNSETTLED = [100, 300, 1000]

/**
 * Stores a manifest or index under a tag or its own digest. Its blobs are there: where two push the same, some
 * registries do not know a blob for as long as they write it down a second time, so they are asked again.
 * Spec: distribution-spec v1.1 #pushing-manifests
 */
export async function putManifest(
  ref: RepositoryRef,
  tagOrDigest: string,
  manifest: NewManifest,
): Promise<StoredManifest> {
  for (const pause of UNSETTLED) {
    try {
      return await putOnce(ref, tagOrDigest, manifest)
    } catch (cause) {
      const isUnsettled =
        cause instanceof RegistryError && cause.registryCodes.includes(UNKNOWN_BLOB)
      if (!isUnsettled) throw cause
      await ref.endpoint.pause(pause, { doing: pushing(ref, tagOrDigest), signal: manifest.signal })
    }
  }
  return await putOnce(ref, tagOrDigest, manifest)
}

/** A manifest that a registry has taken. */
interface StoredManifest {
  readonly digest: Digest
  /** What it refers to, where the registry does not say that it has taken note of that. */
  readonly unlisted: { readonly subject: Digest; readonly referrer: Descriptor } | undefined
}

function pushing(ref: RepositoryRef, tagOrDigest: string): string {
  return `push manifest ${taggedName(ref, tagOrDigest)}`
}

/** What a registry answers to a manifest of which it lacks a part. Spec: distribution-spec v1.1 #error-codes */
export const UNKNOWN_BLOB = 'MANIFEST_BLOB_UNKNOWN'

async function putOnce(
  ref: RepositoryRef,
  tagOrDigest: string,
  { mediaType, bytes, signal }: NewManifest,
): Promise<StoredManifest> {
  const doing = pushing(ref, tagOrDigest)
  const digest = digestOf(bytes)
  if (isDigest(tagOrDigest) && tagOrDigest !== digest) throw wrongDigestError(doing, digest)
  const response = await ref.endpoint.call({
    doing,
    method: 'PUT',
    to: `${ref.name}/manifests/${tagOrDigest}`,
    expect: [200, 201, 204],
    headers: { 'content-type': mediaType },
    body: { kind: 'document', bytes },
    scopes: [pushScope(ref.name)],
    signal,
  })
  const stored = response.headers['docker-content-digest']
  if (stored !== undefined && stored !== digest) throw wrongDigestError(doing, stored)
  const isListed = response.headers['oci-subject'] !== undefined || !mentionsSubject(bytes)
  return { digest, unlisted: isListed ? undefined : referrerOf({ mediaType, bytes, digest }) }
}

/** Whether it is worth to read a document for its subject: most have none. */
function mentionsSubject({ buffer, byteOffset, length }: Uint8Array): boolean {
  return Buffer.from(buffer, byteOffset, length).includes('"subject"')
}

/** Spec: distribution-spec v1.1 #pushing-manifests-with-subject */
function referrerOf({
  mediaType,
  bytes,
  digest,
}: EncodedDocument & { readonly digest: Digest }): StoredManifest['unlisted'] {
  const parsed = parseManifestOrIndex(bytes, mediaType)
  const document = parsed.kind === 'index' ? parsed.index : parsed.manifest
  const { subject, annotations } = document
  if (subject === undefined) return undefined
  const { artifactType = 'config' in document ? document.config.mediaType : undefined } = document
  const referrer = {
    mediaType: document.mediaType,
    digest,
    size: bytes.length,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  }
  return { subject: subject.digest, referrer }
}

/**
 * Removes a manifest with all tags that lead to it, or one tag; what is not there is fine. Many registries do not
 * let their users do this.
 * Spec: distribution-spec v1.1 #deleting-manifests
 * @throws {TsbuildError} REGISTRY_DENIED, REGISTRY_FAILED
 */
export async function deleteManifest(
  ref: RepositoryRef,
  tagOrDigest: string,
  { signal }: TransferOptions,
): Promise<void> {
  await ref.endpoint.call({
    doing: `delete ${taggedName(ref, tagOrDigest)}`,
    method: 'DELETE',
    to: `${ref.name}/manifests/${tagOrDigest}`,
    expect: [200, 202, 204, 404],
    scopes: [deleteScope(ref.name)],
    attempts: 1,
    signal,
  })
}

function describedBy(response: HttpResponse): Descriptor | undefined {
  const { 'docker-content-digest': digest = '', 'content-length': length = '' } = response.headers
  const mediaType = contentType(response)
  const isKnown = isManifestType(mediaType) || isIndexType(mediaType)
  if (!isKnown || !isDigest(digest) || !/^\d{1,15}$/.test(length)) return undefined
  return { mediaType, digest, size: Number(length) }
}

/**
 * The type of a manifest. The header and the document must agree: bytes that two programs read in
 * different ways are an attack. See GHSA-77vh-xpmg-72qh.
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

function wrongDigestError(doing: string, digest: string): RegistryError {
  return new RegistryError(`${doing}: the registry has the digest ${plainText(digest)}`, {
    code: 'DIGEST_MISMATCH',
    hint: 'the content was damaged or replaced on its way; nothing of it was kept',
  })
}

import { digestOf, isJsonObject, type Json } from '#core'
import { errorReply, type RecordedRequest, type Reply } from './http.ts'
import { answerReferrers, subjectOf } from './referrers.ts'
import type { Storage, StoredManifest } from './storage.ts'
import { continueUpload, startUpload } from './upload-routes.ts'

/** The resource that a path names. */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'token' }
  | { readonly kind: 'blob'; readonly name: string; readonly digest: string }
  | { readonly kind: 'manifest'; readonly name: string; readonly reference: string }
  | { readonly kind: 'uploads'; readonly name: string }
  | { readonly kind: 'tags'; readonly name: string }
  | { readonly kind: 'upload'; readonly name: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly name: string; readonly digest: string }
  | { readonly kind: 'unknown' }

export function routeOf(url: string): Route {
  const path = url.split('?', 1)[0] ?? ''
  if (path === '/v2/') return { kind: 'base' }
  if (path === '/token') return { kind: 'token' }
  const [, listed] = /^\/v2\/(.+)\/tags\/list$/.exec(path) ?? []
  if (listed !== undefined) return { kind: 'tags', name: listed }
  const [, name = '', kind = '', rest = ''] =
    /^\/v2\/(.+)\/(blobs|manifests|referrers|blobs\/uploads)\/([^/]*)$/.exec(path) ?? []
  if (kind === 'manifests') return { kind: 'manifest', name, reference: rest }
  if (kind === 'referrers') return { kind, name, digest: rest }
  if (kind === 'blobs') return { kind: 'blob', name, digest: rest }
  if (kind === 'blobs/uploads' && rest === '') return { kind: 'uploads', name }
  return kind === 'blobs/uploads' ? { kind: 'upload', name, id: rest } : { kind: 'unknown' }
}

/** The scope that a request needs, as in challenges. */
export function scopeOf(method: string, route: Route): string | undefined {
  if (!('name' in route)) return undefined
  const isRead = method === 'GET' || method === 'HEAD'
  return `repository:${route.name}:${isRead ? 'pull' : 'pull,push'}`
}

/** Answers a request whose body has been read; the bodies of uploads are in storage already. */
export function answer(
  storage: Storage,
  request: RecordedRequest,
  { route, body }: { readonly route: Route; readonly body: Buffer },
): Reply {
  switch (route.kind) {
    case 'base':
      return { status: 200, headers: { 'docker-distribution-api-version': 'registry/2.0' } }
    case 'referrers':
      return answerReferrers(storage, request, route)
    case 'blob':
      if (request.method === 'DELETE') return deleteBlob(storage, route)
      return answerBlob(storage, request, route)
    case 'tags':
      return listTags(storage, request, route.name)
    case 'manifest':
      if (request.method === 'DELETE') return deleteManifest(storage, route)
      return request.method === 'PUT'
        ? storeManifest(storage, route, { mediaType: request.headers['content-type'] ?? '', body })
        : answerManifest(storage, route)
    case 'uploads':
      return startUpload(storage, request, route.name)
    case 'upload':
      return continueUpload(storage, request, route.id)
    default:
      return errorReply(404, 'UNSUPPORTED', 'no such resource')
  }
}

function answerBlob(
  storage: Storage,
  request: RecordedRequest,
  { name, digest }: { readonly name: string; readonly digest: string },
): Reply {
  const blob = storage.blob(name, digest)
  if (blob === undefined) return errorReply(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag: `"${digest}"`,
    'content-length': String(blob.size),
  }
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN)
  const isChanged = (request.headers['if-range'] ?? headers.etag) !== headers.etag
  if (Number.isNaN(start) || isChanged) return { status: 200, headers, body: blob.bytes }
  if (start >= blob.size) return errorReply(416, 'RANGE_INVALID', 'beyond the end')
  const part = {
    'content-length': String(blob.size - start),
    'content-range': `bytes ${start}-${blob.size - 1}/${blob.size}`,
  }
  return { status: 206, headers: { ...headers, ...part }, body: blob.bytes.subarray(start) }
}

function answerManifest(
  storage: Storage,
  { name, reference }: { readonly name: string; readonly reference: string },
): Reply {
  const manifest = storage.manifest(name, reference)
  if (manifest === undefined) return errorReply(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
  const { bytes, mediaType } = manifest
  const headers = {
    'content-type': mediaType,
    'docker-content-digest': digestOf(bytes),
    'content-length': String(bytes.length),
  }
  return { status: 200, headers, body: bytes }
}

function storeManifest(
  storage: Storage,
  { name, reference }: { readonly name: string; readonly reference: string },
  { mediaType, body }: { readonly mediaType: string; readonly body: Buffer },
): Reply {
  const manifest: StoredManifest = { mediaType, bytes: body }
  const missing =
    named(body, 'layers').find((digest) => storage.blob(name, digest) === undefined) ??
    named(body, 'manifests').find(
      // Caches of BuildKit list blobs as if they were manifests.
      (digest) => (storage.manifest(name, digest) ?? storage.blob(name, digest)) === undefined,
    )
  if (missing !== undefined) {
    return errorReply(404, 'MANIFEST_BLOB_UNKNOWN', `blob ${missing} unknown to registry`)
  }
  if (reference.includes(':') && reference !== digestOf(body)) {
    return errorReply(400, 'DIGEST_INVALID', 'the manifest has another digest')
  }
  const digest = storage.putManifest(name, reference, manifest)
  const location = `/v2/${name}/manifests/${digest}`
  const subject = storage.listsReferrers ? subjectOf(body) : undefined
  const processed = subject === undefined ? {} : { 'oci-subject': subject }
  return { status: 201, headers: { location, 'docker-content-digest': digest, ...processed } }
}

/** In order, `n` at a time behind `last`. Spec: distribution-spec v1.1 #listing-tags */
function listTags(storage: Storage, request: RecordedRequest, name: string): Reply {
  const query = new URL(request.url, 'http://registry').searchParams
  const last = query.get('last') ?? ''
  const all = [...storage.repository(name).tags.keys()].sort().filter((tag) => tag > last)
  if (all.length === 0 && last === '') return errorReply(404, 'NAME_UNKNOWN', 'no such repository')
  const tags = all.slice(0, Math.min(Number(query.get('n') ?? all.length), TAGS_AT_ONCE))
  const link = `</v2/${name}/tags/list?n=${tags.length}&last=${tags.at(-1)}>; rel="next"`
  const headers = { 'content-type': 'application/json', ...(tags.length < all.length && { link }) }
  return { status: 200, headers, body: Buffer.from(JSON.stringify({ name, tags })) }
}

const TAGS_AT_ONCE = 100

function deleteManifest(
  storage: Storage,
  { name, reference }: { readonly name: string; readonly reference: string },
): Reply {
  const { manifests, tags } = storage.repository(name)
  if (tags.delete(reference)) return { status: 202 }
  if (!manifests.delete(reference)) return errorReply(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
  for (const [tag, digest] of tags) if (digest === reference) tags.delete(tag)
  return { status: 202 }
}

function deleteBlob(
  storage: Storage,
  { name, digest }: { readonly name: string; readonly digest: string },
): Reply {
  const isThere = storage.repository(name).blobs.delete(digest)
  return isThere ? { status: 202 } : errorReply(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
}

/** Digests in a manifest or an index that it cannot be without. */
function named(body: Buffer, list: 'layers' | 'manifests'): readonly string[] {
  const document = JSON.parse(body.toString()) as Json
  const fields = isJsonObject(document) ? document : {}
  const listed = fields[list]
  const descriptors = Array.isArray(listed) ? (listed as readonly Json[]) : []
  return [...(list === 'layers' ? [fields.config] : []), ...descriptors].flatMap((one) =>
    isJsonObject(one) && typeof one.digest === 'string' ? [one.digest] : [],
  )
}

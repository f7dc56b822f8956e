import { digestOf, isJsonObject, type Json, MEDIA_TYPES } from '#core'
import { errorReply, type RecordedRequest, type Reply } from './http.ts'
import type { Storage, StoredManifest } from './storage.ts'

const AT_ONCE = 10

/** The digest of the manifest that one says something about. */
export function subjectOf(bytes: Buffer): string | undefined {
  const { subject } = fieldsOf(bytes)
  return isJsonObject(subject) && typeof subject.digest === 'string' ? subject.digest : undefined
}

/** Spec: distribution-spec v1.1 #listing-referrers */
export function answerReferrers(
  storage: Storage,
  request: RecordedRequest,
  { name, digest }: { readonly name: string; readonly digest: string },
): Reply {
  if (!storage.listsReferrers) return errorReply(404, 'UNSUPPORTED', 'no such resource')
  const query = new URL(request.url, 'http://registry').searchParams
  const wanted = query.get('artifactType')
  const all = [...storage.repository(name).manifests.values()]
    .filter(({ bytes }) => subjectOf(bytes) === digest)
    .map(describe)
    .filter(({ artifactType }) => wanted === null || artifactType === wanted)
    .filter((one) => one.digest > (query.get('last') ?? ''))
    .sort((one, other) => (one.digest < other.digest ? -1 : 1))
  const manifests = all.slice(0, AT_ONCE)
  const link = `</v2/${name}/referrers/${digest}?${wanted === null ? '' : `artifactType=${encodeURIComponent(wanted)}&`}last=${manifests.at(-1)?.digest}>; rel="next"`
  const headers = {
    'content-type': MEDIA_TYPES.ociIndex,
    ...(wanted !== null && { 'oci-filters-applied': 'artifactType' }),
    ...(manifests.length < all.length && { link }),
  }
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }
  return { status: 200, headers, body: JSON.stringify(index) }
}

function describe({ mediaType, bytes }: StoredManifest) {
  const { artifactType, config, annotations } = fieldsOf(bytes)
  const configType = isJsonObject(config) ? config.mediaType : undefined
  return {
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
    artifactType: artifactType ?? configType,
    ...(annotations === undefined ? {} : { annotations }),
  }
}

function fieldsOf(bytes: Buffer): Readonly<Record<string, Json | undefined>> {
  const document = JSON.parse(bytes.toString()) as Json
  return isJsonObject(document) ? document : {}
}

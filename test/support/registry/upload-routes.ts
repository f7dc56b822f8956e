import { errorReply, type RecordedRequest, type Reply } from './http.ts'
import type { Storage } from './storage.ts'

export function startUpload(storage: Storage, request: RecordedRequest, name: string): Reply {
  const query = new URL(request.url, 'http://registry').searchParams
  const mount = query.get('mount')
  const from = query.get('from')
  if (mount !== null && from !== null && storage.mountBlob(name, mount, from)) {
    const headers = { location: `/v2/${name}/blobs/${mount}`, 'docker-content-digest': mount }
    return { status: 201, headers }
  }
  const { smallestPart } = storage
  const least = smallestPart && { 'oci-chunk-min-length': String(smallestPart) }
  const headers = { ...uploadHeaders(storage, name, storage.startUpload(name)), ...least }
  return { status: 202, headers }
}

/** As docker-registry does: the state in the location says how many bytes there should be. */
function uploadHeaders(storage: Storage, name: string, id: string): Record<string, string> {
  const size = storage.upload(id)?.seen.size ?? 0
  const location = `/v2/${name}/blobs/uploads/${id}?_state=a%2Fb+c-${size}`
  return { location, range: `0-${Math.max(size - 1, 0)}`, 'docker-upload-uuid': id }
}

/** A request to a session; its body, if any, has been appended. */
export function continueUpload(storage: Storage, request: RecordedRequest, id: string): Reply {
  const session = storage.upload(id)
  if (session === undefined) return errorReply(404, 'BLOB_UPLOAD_UNKNOWN', 'upload unknown')
  const { repository } = session
  switch (request.method) {
    case 'GET':
      return { status: 204, headers: uploadHeaders(storage, repository, id) }
    case 'PATCH':
      return { status: 202, headers: uploadHeaders(storage, repository, id) }
    case 'DELETE':
      storage.endUpload(id)
      return { status: 204 }
    default:
      return commit(storage, request, { repository, id })
  }
}

function commit(
  storage: Storage,
  request: RecordedRequest,
  { repository, id }: { readonly repository: string; readonly id: string },
): Reply {
  const digest = new URL(request.url, 'http://registry').searchParams.get('digest') ?? ''
  if (!storage.commit(id, digest)) {
    return errorReply(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content')
  }
  const location = `/v2/${repository}/blobs/${digest}`
  return { status: 201, headers: { location, 'docker-content-digest': digest } }
}

/**
 * Whether the body of a request does not begin where the session ends: by the state in its location, as
 * docker-registry has it, and by its range.
 */
export function isMisplaced(request: RecordedRequest, size: number): boolean {
  const state = Number(/_state=a%2Fb\+c-(\d+)/.exec(request.url)?.[1] ?? -1)
  const start = Number(/^(\d+)-\d+$/.exec(request.headers['content-range'] ?? '')?.[1] ?? size)
  return (request.method !== 'GET' && state !== size) || start !== size
}

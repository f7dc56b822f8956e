import { digestOf } from '#core'
import type { FaultAction, MemoryRegistry, RecordedRequest } from '../../support/registry/index.ts'
import { SHARED } from './sample.ts'

/** A fault that stays: it hits every request that it fits. */
interface LastingFault {
  readonly name: string
  readonly fits: (request: RecordedRequest) => boolean
  readonly action: (request: RecordedRequest) => FaultAction
  /** What the error may be; none: nothing fails. */
  readonly codes: readonly string[]
}

const UPLOADS = /[/]blobs[/]uploads[/]/
const BLOBS = /[/]blobs[/]sha256:/
const MANIFESTS = /[/]manifests[/]/

/** Every one is survived, or ends in the one error that says what is wrong. */
export function lastingFaults(registry: MemoryRegistry): readonly LastingFault[] {
  const elsewhere = (location: string): FaultAction => status(307, { location })
  return [
    lasting('PUT', MANIFESTS, 'denied', status(403), ['REGISTRY_DENIED']),
    lasting('PUT', MANIFESTS, 'failing', status(500), ['REGISTRY_FAILED']),
    lasting('PUT', MANIFESTS, 'stored as another', storedAs('x'), ['DIGEST_MISMATCH']),
    lasting('PUT', UPLOADS, 'stored as another', storedAs('x'), ['DIGEST_MISMATCH']),
    lasting('PUT', UPLOADS, 'failing', status(503), ['REGISTRY_FAILED']),
    lasting('PUT', UPLOADS, 'too large', status(413), ['REGISTRY_FAILED']),
    lasting('PUT', UPLOADS, 'session lost', status(404), ['NOT_FOUND']),
    lasting('PATCH', UPLOADS, 'not allowed', status(405), []),
    lasting('PATCH', UPLOADS, 'too large', status(413), []),
    lasting('PATCH', UPLOADS, 'broken', { kind: 'reset', afterBytes: 1000 }, [
      'REGISTRY_UNREACHABLE',
    ]),
    lasting('POST', UPLOADS, 'limited', status(429, { 'retry-after': '99999' }), [
      'REGISTRY_FAILED',
    ]),
    lasting('POST', UPLOADS, 'led to a file', location('file:///etc/passwd'), ['REGISTRY_FAILED']),
    lasting('POST', UPLOADS, 'led to the link', location('http://169.254.169.254/x'), [
      'REGISTRY_FAILED',
    ]),
    lasting('POST', UPLOADS, 'led elsewhere', location(registry.elsewhere), []),
    lasting('GET', BLOBS, 'damaged', body(Buffer.alloc(150_000)), [
      'DIGEST_MISMATCH',
      'SIZE_MISMATCH',
    ]),
    lasting('GET', BLOBS, 'truncated', body(Buffer.alloc(3)), ['DIGEST_MISMATCH', 'SIZE_MISMATCH']),
    lasting('GET', BLOBS, 'cut', { kind: 'cut', afterBytes: 0, how: 'reset' }, [
      'REGISTRY_UNREACHABLE',
    ]),
    lasting('GET', MANIFESTS, 'another document', body('{}'), [
      'DIGEST_MISMATCH',
      'MANIFEST_INVALID',
    ]),
    lasting('GET', MANIFESTS, 'a page', body('<html>'), ['DIGEST_MISMATCH', 'MANIFEST_INVALID']),
    {
      name: 'GET: led elsewhere',
      fits: ({ method, url }) => method === 'GET' && /[/](?:blobs|manifests)[/]sha256:/.test(url),
      action: ({ url }) => elsewhere(`${registry.elsewhere}${url}`),
      codes: [],
    },
    {
      name: 'GET: led in a circle',
      fits: ({ method, url }) => method === 'GET' && BLOBS.test(url),
      action: ({ url }) => elsewhere(url),
      codes: ['REGISTRY_FAILED'],
    },
    {
      name: 'PUT: blobs vanish',
      // What is lost once all that needs it is stored, nothing can notice.
      fits: ({ method, url }) =>
        method === 'PUT' && MANIFESTS.test(url) && registry.manifestsOf('team/app').length < 2,
      action: () => ({
        kind: 'before',
        run: () => registry.dropBlob('team/app', digestOf(SHARED)),
      }),
      codes: ['NOT_FOUND'],
    },
    {
      name: 'denied',
      fits: ({ url }) => !url.startsWith('/token'),
      action: () => ({ kind: 'reply', reply: registry.challenge('repository:team/app:pull') }),
      codes: ['REGISTRY_DENIED'],
    },
    {
      name: 'a foreign token service',
      fits: ({ url }) => !url.startsWith('/token'),
      action: () => status(401, { 'www-authenticate': 'Bearer realm="http://192.0.2.1/token"' }),
      codes: ['REGISTRY_DENIED'],
    },
  ]
}

function lasting(
  method: string,
  path: RegExp,
  what: string,
  action: FaultAction,
  codes: readonly string[],
): LastingFault {
  const name = `${method} ${path.source.replaceAll(/[^a-z0-9]+/g, ' ').trim()}: ${what}`
  const fits = (one: RecordedRequest): boolean => one.method === method && path.test(one.url)
  return { name, fits, action: () => action, codes }
}

function status(code: number, headers: Readonly<Record<string, string>> = {}): FaultAction {
  return { kind: 'reply', reply: { status: code, headers } }
}

function storedAs(content: string): FaultAction {
  const headers = { 'docker-content-digest': digestOf(content) }
  return {
    kind: 'edit',
    edit: (reply) => ({ ...reply, headers: { ...reply.headers, ...headers } }),
  }
}

/** Where an upload is said to go on: at another origin under the path that it has here. */
function location(to: string): FaultAction {
  return {
    kind: 'edit',
    edit: (reply) => {
      const isOrigin = new URL(to).pathname === '/'
      const moved = isOrigin ? new URL(reply.headers?.location ?? '', to).href : to
      return { ...reply, headers: { ...reply.headers, location: moved } }
    },
  }
}

function body(bytes: Buffer | string): FaultAction {
  const headers = { 'content-length': String(bytes.length) }
  const edit = (reply: { headers?: Readonly<Record<string, string>> }) => ({
    status: 200,
    headers: { ...reply.headers, ...headers },
    body: bytes,
  })
  return { kind: 'edit', edit }
}

import { TsbuildError } from '#core'
import type { HttpRequest, HttpResponse, Layer } from '../../http/exchange.ts'
import { checkTarget } from '../auth/realm.ts'

const MAX_REDIRECTS = 10
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/**
 * Follows redirects where the request can be repeated. Lies outside of authentication, so that each
 * hop is judged by its own origin and credentials stay with the registry's.
 */
export function following(registry: URL): Layer {
  return (next) => async (first) => {
    let request = first
    for (let hops = 0; ; hops++) {
      const response = await next(request)
      const { location } = response.headers
      if (location === undefined || !mayFollow(request, response)) return response
      if (hops >= MAX_REDIRECTS) {
        throw new TsbuildError(`more than ${MAX_REDIRECTS} redirects`, { code: 'REGISTRY_FAILED' })
      }
      request = { ...request, url: resolveLocation(location, response.url, registry) }
    }
  }
}

/** The place that a `Location` header names, relative ones included. */
export function resolveLocation(location: string, base: URL, registry: URL): URL {
  if (!URL.canParse(location, base.href)) {
    throw new TsbuildError('the location it names is not a URL', { code: 'REGISTRY_FAILED' })
  }
  const target = new URL(location, base)
  target.username = ''
  target.password = ''
  target.hash = ''
  // A registry behind a proxy that ends TLS often believes that it is spoken to over http.
  const forgotTls =
    target.protocol === 'http:' &&
    registry.protocol === 'https:' &&
    target.hostname === registry.hostname &&
    (target.port === '' || target.port === registry.port)
  if (forgotTls) return new URL(`${target.pathname}${target.search}`, registry)
  return checkTarget(target, registry)
}

function mayFollow(request: HttpRequest, response: HttpResponse): boolean {
  if (!REDIRECTS.has(response.status)) return false
  if (request.method === 'GET' || request.method === 'HEAD') return true
  const keepsMethod = response.status === 307 || response.status === 308
  return keepsMethod && request.body?.kind !== 'stream'
}

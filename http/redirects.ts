import { HttpError } from './errors.ts'
import type { HttpRequest, HttpResponse, Middleware } from './exchange.ts'

const MAX_REDIRECTS = 10
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/**
 * Follows redirects where the request can be repeated. Lies outside of middleware that sends
 * credentials, so that each hop is judged by its own origin.
 * @param resolve turns a `Location` header into the next URL, or throws where it may not lead
 */
export function followingRedirects(resolve: (location: string, from: URL) => URL): Middleware {
  return (next) => async (first) => {
    let request = first
    for (let hops = 0; ; hops++) {
      const response = await next(request)
      const { location } = response.headers
      if (location === undefined || !mayFollow(request, response)) return response
      if (hops >= MAX_REDIRECTS) {
        const message = `more than ${MAX_REDIRECTS} redirects`
        throw new HttpError(message, { code: 'TOO_MANY_REDIRECTS' })
      }
      request = { ...request, url: resolve(location, response.url) }
    }
  }
}

/**
 * The URL that a `Location` header names, relative ones included: without user, password and
 * fragment. `undefined` when it is not a URL.
 */
export function locationUrl(location: string, from: URL): URL | undefined {
  if (!URL.canParse(location, from.href)) return undefined
  const url = new URL(location, from)
  url.username = ''
  url.password = ''
  url.hash = ''
  return url
}

function mayFollow(request: HttpRequest, response: HttpResponse): boolean {
  if (!REDIRECTS.has(response.status)) return false
  if (request.method === 'GET' || request.method === 'HEAD') return true
  const keepsMethod = response.status === 307 || response.status === 308
  return keepsMethod && request.body?.kind !== 'stream'
}

import type { HttpResponse } from '#http'

const NEXT = /<([^>]{1,2000})>\s*;[^,]*\brel="?next"?/i

/**
 * Where a list goes on: on the registry itself, whatever host its `Link` header names. `undefined`: nowhere.
 * Spec: distribution-spec v1.1 #listing-tags, RFC 8288
 */
export function nextPage(response: HttpResponse, origin: URL): URL | undefined {
  const link = NEXT.exec(response.headers.link ?? '')?.[1]
  if (link === undefined || !URL.canParse(link, response.url.href)) return undefined
  const { pathname, search } = new URL(link, response.url)
  // A path that begins with two slashes would be read as a host.
  const next = new URL(origin)
  next.pathname = pathname
  next.search = search
  return next
}

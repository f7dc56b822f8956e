import { TsbuildError } from '#core'
import { locationUrl, mayLeadTo } from '#http'

/**
 * The URL that a `Location` header of a registry names, relative ones included.
 * @throws {TsbuildError} REGISTRY_FAILED for one that a registry may not lead to
 */
export function resolveLocation(location: string, from: URL, registry: URL): URL {
  const target = locationUrl(location, from)
  if (target === undefined) {
    throw new TsbuildError('the location it names is not a URL', { code: 'REGISTRY_FAILED' })
  }
  // A registry behind a proxy that ends TLS often believes that it is spoken to over http.
  const forgotTls =
    target.protocol === 'http:' &&
    registry.protocol === 'https:' &&
    target.hostname === registry.hostname &&
    (target.port === '' || target.port === registry.port)
  // Only these parts: a path that begins with two slashes would be read as a host.
  if (forgotTls) {
    target.protocol = registry.protocol
    target.port = registry.port
  }
  return checkTarget(target, registry)
}

/**
 * Where a `Location` header may lead: never from https to http, never to another scheme, and to this
 * machine only from it.
 * @throws {TsbuildError} REGISTRY_FAILED
 * @internal
 */
export function checkTarget(target: URL, registry: URL): URL {
  const isHttp = target.protocol === 'http:'
  if (!isHttp && target.protocol !== 'https:')
    throw locationError(`to a ${target.protocol} address`)
  if (target.origin === registry.origin) return target
  if (isHttp && registry.protocol !== 'http:') throw locationError('from https to http')
  if (mayLeadTo(target, registry)) return target
  throw locationError('to a local address')
}

function locationError(where: string): TsbuildError {
  return new TsbuildError(`refuse to be sent on ${where}`, {
    code: 'REGISTRY_FAILED',
    hint: 'ask those who run the registry about its redirects and its external URL',
  })
}

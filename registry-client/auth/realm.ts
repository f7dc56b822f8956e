import { TsbuildError } from '#core'
import { isLoopback, mayLeadTo } from '#http'

const MAX_REALM = 2048

/**
 * Whether the token service that a challenge names may be asked. The challenge comes from outside:
 * it could send a password to a foreign host or a request to this machine. Allowed are the registry's own
 * host, and any other host over https that is not a local address; plain http only where the
 * registry itself speaks it.
 * @throws {TsbuildError} REGISTRY_DENIED
 */
export function checkRealm(realm: string, registry: URL): URL {
  if (realm.length > MAX_REALM || !URL.canParse(realm)) throw realmError('is not a URL')
  const url = new URL(realm)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw realmError('is not https')
  if (url.username !== '' || url.password !== '') throw realmError('has a user in its URL')
  const bothLoopback = isLoopback(url.hostname) && isLoopback(registry.hostname)
  const sameHost = url.hostname === registry.hostname
  if (url.protocol === 'http:') {
    if (registry.protocol === 'http:' && (sameHost || bothLoopback)) return url
    throw realmError(`${url.host} is not https`)
  }
  if (mayLeadTo(url, registry)) return url
  throw realmError(`${url.host} is a local address`)
}

function realmError(why: string): TsbuildError {
  return new TsbuildError(`refuse to ask its token service: the realm ${why}`, {
    code: 'REGISTRY_DENIED',
    hint: 'nothing was sent; ask those who run the registry about its authentication settings',
  })
}

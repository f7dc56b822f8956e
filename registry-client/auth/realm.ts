import { TsbuildError } from '#core'
import { isLoopback, mayLeadTo } from '../../http/addresses.ts'

const MAX_REALM = 2048

/**
 * Whether the token service that a challenge names may be asked. The challenge comes from outside:
 * it could aim a password at a stranger or a request at this machine. Allowed are the registry's own
 * host, and any other host over https that is not a local address; plain http only where the
 * registry itself speaks it.
 * @throws {TsbuildError} REGISTRY_DENIED
 */
export function checkRealm(realm: string, registry: URL): URL {
  if (realm.length > MAX_REALM || !URL.canParse(realm)) throw refused('is not a URL')
  const url = new URL(realm)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused('is not https')
  if (url.username !== '' || url.password !== '') throw refused('has a user in its URL')
  const bothLoopback = isLoopback(url.hostname) && isLoopback(registry.hostname)
  const sameHost = url.hostname === registry.hostname
  if (url.protocol === 'http:') {
    if (registry.protocol === 'http:' && (sameHost || bothLoopback)) return url
    throw refused(`${url.host} is not https`)
  }
  if (mayLeadTo(url, registry)) return url
  throw refused(`${url.host} is a local address`)
}

/**
 * Where an answer may send us next: never from https to http, never to another scheme, and to this
 * machine only from it.
 * @throws {TsbuildError} REGISTRY_FAILED
 */
export function checkTarget(target: URL, registry: URL): URL {
  const isHttp = target.protocol === 'http:'
  if (!isHttp && target.protocol !== 'https:') throw misled(`to a ${target.protocol} address`)
  if (target.origin === registry.origin) return target
  if (isHttp && registry.protocol !== 'http:') throw misled('from https to http')
  if (mayLeadTo(target, registry)) return target
  throw misled('to a local address')
}

function refused(why: string): TsbuildError {
  return new TsbuildError(`refuse to ask its token service: the realm ${why}`, {
    code: 'REGISTRY_DENIED',
    hint: 'nothing was sent; ask those who run the registry about its authentication settings',
  })
}

function misled(where: string): TsbuildError {
  return new TsbuildError(`refuse to be sent on ${where}`, {
    code: 'REGISTRY_FAILED',
    hint: 'ask those who run the registry about its redirects and its external URL',
  })
}

import { HttpError } from '../errors.ts'
import type { ProxyServer } from './proxy-server.ts'

/** The error for a proxy that refuses: 407, and 401 of some, is about its user, 403 about the host. */
export function deniedError({ name, login }: ProxyServer, status: number): HttpError {
  const aboutUser =
    login === undefined ? 'wants a user and a password' : 'does not accept its user and password'
  const what = status !== 403 ? aboutUser : `does not allow this host`
  return new HttpError(`proxy ${name} ${what}`, { code: 'PROXY_DENIED' })
}

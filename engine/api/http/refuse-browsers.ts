import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { TsbuildError } from '#core'

/**
 * A page of another site may make a browser send requests with the certificate of its user: no program that means to
 * use the API is a browser. Sockets of this machine's files are out of its reach.
 * @throws {TsbuildError} PERMISSION_DENIED
 */
export function refuseBrowsers({ socket, headers }: IncomingMessage): void {
  if (!(socket instanceof TLSSocket)) return
  if (headers.origin === undefined && headers['sec-fetch-site'] === undefined) return
  throw new TsbuildError('requests of browsers are refused', { code: 'PERMISSION_DENIED' })
}

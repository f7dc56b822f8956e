import { isLoopback } from './addresses.ts'

/**
 * Which hosts a connection may reach.
 * - `named`: a host that the user named, at any address.
 * - `named-insecure`: the same, whatever its certificate is.
 * - `redirected`: a host that an answer named. No address of this machine or its link, whatever its
 *   name resolves to.
 * - `redirected-from-loopback`: a host that an answer of this machine named. This machine, but no other
 *   address of its link.
 */
export type Destination = 'named' | 'named-insecure' | 'redirected' | 'redirected-from-loopback'

/** How `url` may be reached, where `named` is the URL that the user named and that led to it. */
export function destinationOf(url: URL, named: URL): Destination {
  if (url.host === named.host) return 'named'
  return isLoopback(named.hostname) ? 'redirected-from-loopback' : 'redirected'
}

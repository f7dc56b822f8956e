import type { LookupFunction } from 'node:net'
import { isLocalAddress, isLoopback } from '../addresses.ts'
import type { Destination } from '../destination.ts'
import { HttpError } from '../errors.ts'

/** How the host names of a destination are looked up; `undefined`: as Node does. */
export function lookupFor(destination: Destination): LookupFunction | undefined {
  if (destination === 'redirected') return lookupUnless(isLocalAddress)
  return destination === 'redirected-from-loopback' ? lookupUnless(isOnLink) : undefined
}

function isOnLink(address: string): boolean {
  return isLocalAddress(address) && !isLoopback(address)
}

/** Looks a name up and refuses it when any of its addresses is forbidden: names are cheap to aim. */
function lookupUnless(isForbidden: (address: string) => boolean): LookupFunction {
  return async (hostname, options, callback) => {
    const { lookup } = await import('node:dns')
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0)
      const [first] = addresses
      const forbidden = addresses.find(({ address }) => isForbidden(address))
      if (first === undefined || forbidden !== undefined) {
        const message = `${hostname} leads to ${forbidden?.address ?? 'nowhere'}`
        return callback(new HttpError(message, { code: 'ADDRESS_NOT_ALLOWED' }), '', 0)
      }
      if (options.all === true) return callback(null, addresses)
      callback(null, first.address, first.family)
    })
  }
}

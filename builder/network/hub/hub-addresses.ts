import { randomBytes } from 'node:crypto'
import { type Address, addressAt, overlap, type Prefix } from '../links/address.ts'
import type { Route } from '../links/host-links.ts'

/** Links to hubs are named by this and the number of the hub; a table of the packet filter, too. */
export const LINK_NAME = 'tsbuild'

/** The addresses of a hub and its steps: each of version 4 first, then of version 6 where steps have it. */
export interface HubAddresses {
  /** By which the host knows the hub. */
  readonly hub: readonly Address[]
  /** What the hub calls the host. Nothing has these addresses. */
  readonly host: readonly Address[]
  /** The hub's in the networks of steps. */
  readonly gateway: readonly Address[]
  /** Those of a step. @param number from 0, below `STEPS` */
  readonly stepAt: (number: number) => readonly Address[]
}

/** How many steps have addresses at the same time. */
export const STEPS = 0x7ff0

/**
 * Chooses addresses that lead nowhere else from this host.
 * @param number of the hub: no other hub of this host has it
 */
export function chooseAddresses(
  number: number,
  routes: readonly Route[],
  { version6 }: { readonly version6: boolean },
): HubAddresses {
  const version4 = freePrefix(routes)
  const [link, steps] = version6 ? uniquePrefixes() : []
  const both = (one: Address, other: Address | undefined, count: number): readonly Address[] => [
    one,
    ...(other === undefined ? [] : [addressAt(other, count)]),
  ]
  return {
    host: both(addressAt(version4, 1), link, 1),
    hub: both(addressAt(version4, 2 + number), link, 2),
    gateway: both(addressAt(version4, FIRST_OF_STEPS), steps, 1),
    stepAt: (step) => both(addressAt(version4, FIRST_OF_STEPS + 1 + step), steps, 2 + step),
  }
}

/** The least number that no hub has. @param taken names of links and tables */
export function freeNumber(taken: readonly string[]): number {
  const names = new Set(taken)
  for (let number = 0; number < HUBS; number++) {
    if (!names.has(`${LINK_NAME}${number}`)) return number
  }
  throw new Error(`there are ${HUBS} hubs of steps`)
}

/** A network of 65,536 addresses has those of hubs in its first half, in its second those of all steps. */
const FIRST_OF_STEPS = 0x8001
const HUBS = 0x7ff0

/**
 * Networks that hosts seldom reach: first two that are for measurements (RFC 2544), so that no host has
 * them by right, then private ones.
 */
function* candidates(): Generator<Prefix, void> {
  for (const second of [18, 19]) yield { address: Uint8Array.of(198, second, 0, 0), length: 16 }
  for (let second = 255; second > 0; second--) {
    yield { address: Uint8Array.of(10, second, 0, 0), length: 16 }
  }
  for (let second = 31; second > 16; second--) {
    yield { address: Uint8Array.of(172, second, 0, 0), length: 16 }
  }
}

/** Shorter prefixes are ways out of a network, not networks: 0.0.0.0/1 of a tunnel. */
const SHORTEST_NETWORK = 8

function freePrefix(routes: readonly Route[]): Address {
  const taken = routes.filter(({ to }) => to.length >= SHORTEST_NETWORK)
  for (const candidate of candidates()) {
    if (!taken.some(({ to }) => overlap(to, candidate))) return candidate.address
  }
  throw new Error('this host has routes to all private networks')
}

/** Two networks of version 6 that no other host or hub has. Spec: RFC 4193 */
function uniquePrefixes(): readonly Address[] {
  const id = randomBytes(5)
  return [0, 1].map((subnet) => Uint8Array.of(0xfd, ...id, 0, subnet, ...new Uint8Array(8)))
}

import { isVersion6, LINK_LOCAL, overlap, type Prefix } from '../links/address.ts'
import type { Link, Route } from '../links/host-links.ts'
import { LINK_NAME } from './hub-addresses.ts'

/** The ways from a host to other machines. */
export interface Outlets {
  /** Names of links. */
  readonly names: readonly string[]
  /** Whether they lead to addresses of version 6. */
  readonly version6: boolean
  /** Bytes of the largest packet that goes out whole. */
  readonly mtu: number
}

/**
 * Finds the links that lead to other machines. Those to other containers and virtual machines of the host do
 * not, unless they have the default route, as the one link of a container does.
 */
export function findOutlets(links: readonly Link[], routes: readonly Route[]): Outlets {
  const outward = routes.filter(
    (route) =>
      route.leadsOut &&
      !NEAR.some((near) => overlap(near, route.to) && route.to.length >= near.length),
  )
  const withDefault = linksOf(outward.filter(({ to }) => to.length === 0))
  const withAny = linksOf(outward)
  const found = links.filter(
    ({ index, name, kind, isUp, isLoopback }) =>
      isUp &&
      !isLoopback &&
      !name.startsWith(LINK_NAME) &&
      (withDefault.has(index) || (withAny.has(index) && !INNER_KINDS.has(kind))),
  )
  const indices = new Set(found.map(({ index }) => index))
  return {
    names: found.map(({ name }) => name),
    version6: outward.some(
      ({ to, links: by }) => isVersion6(to.address) && by.some((index) => indices.has(index)),
    ),
    mtu: Math.max(LEAST_MTU, Math.min(USUAL_MTU, ...found.map(({ mtu }) => mtu))),
  }
}

function linksOf(routes: readonly Route[]): ReadonlySet<number> {
  return new Set(routes.flatMap(({ links }) => links))
}

/** What every link reaches: neighbours by addresses that mean nothing elsewhere, and groups. */
const NEAR: readonly Prefix[] = [
  ...LINK_LOCAL,
  { address: Uint8Array.of(0xff, ...new Uint8Array(15)), length: 8 },
]

/** Kinds of links between parts of one host, or of one cluster. */
const INNER_KINDS: ReadonlySet<string> = new Set([
  'bridge',
  'veth',
  'dummy',
  'ifb',
  'vxlan',
  'geneve',
])

const USUAL_MTU = 1500
/** Version 6 takes no less. */
const LEAST_MTU = 1280

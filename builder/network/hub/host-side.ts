import { readLinks, readRoutes } from '../links/host-links.ts'
import { NetlinkSocket } from '../netlink/netlink-socket.ts'
import { accept, cameBy, goesBy } from '../rules/expressions.ts'
import { readTables } from '../rules/read-rules.ts'
import { addTable, commit, prependRule } from '../rules/rule-requests.ts'
import { canForwardVersion6, closeGate, forwardingOf, openGate } from './host-gate.ts'
import { chooseAddresses, freeNumber, type HubAddresses, LINK_NAME } from './hub-addresses.ts'
import { HOST_CHAINS, type HostWay, hostTable } from './hub-rules.ts'
import { type Setting, switchSetting } from './link-settings.ts'
import { findOutlets, type Outlets } from './outlets.ts'

/** What a hub gets of its host. */
export interface HubPlan {
  /** The name of the host's link to the hub. */
  readonly uplink: string
  readonly addresses: HubAddresses
  readonly outlets: Outlets
}

/** Looks at the host, and chooses what no other hub has. The host's lock is held. */
export function planHub(links: NetlinkSocket, rules: NetlinkSocket): HubPlan {
  const found = readLinks(links)
  const routes = readRoutes(links)
  const names = [...found, ...readTables(rules)].map(({ name }) => name)
  const number = freeNumber(names)
  const hubs = new Set(found.filter(isUplink).map(({ index }) => index))
  const others = routes.filter(({ links: by }) => !by.some((index) => hubs.has(index)))
  const outlets = findOutlets(found, routes)
  const version6 = outlets.version6 && canForwardVersion6()
  return {
    uplink: `${LINK_NAME}${number}`,
    addresses: chooseAddresses(number, others, { version6 }),
    outlets: { ...outlets, version6 },
  }
}

/**
 * Lets packets of a hub pass, which is connected already. The host's lock is held.
 * @param rules the socket that owns the hub's table, which the kernel removes with it
 * @returns what `dismissHub` needs
 */
export function admitHub(
  rules: NetlinkSocket,
  { uplink, addresses, outlets }: HubPlan,
  users: HostWay['users'],
): ReadonlySet<Setting> {
  const way = { addresses, outlets: outlets.names, users }
  commit(rules, ...addTable(hostTable(uplink, way)))
  for (const setting of forwardingOf(uplink, outlets.version6)) switchSetting(setting, 'on')
  return openGate(rules, outlets)
}

/** What lets packets of a hub pass by now. */
interface Admitted {
  /** Links to other machines. */
  readonly names: ReadonlySet<string>
  /** As `admitHub` returns them. */
  readonly switched: ReadonlySet<Setting>
}

/**
 * Does the same for links that have come since, and again for what others have taken away. The host's lock is held.
 * @param known links by which they pass
 */
export function readmitHub(
  { rules, plan }: { readonly rules: NetlinkSocket; readonly plan: HubPlan },
  known: ReadonlySet<string>,
): Admitted {
  using links = new NetlinkSocket('route')
  const { names } = findOutlets(readLinks(links), readRoutes(links))
  const added = names.filter((name) => !known.has(name))
  const chain = { family: 'inet', table: plan.uplink, chain: HOST_CHAINS.outlets } as const
  const requests = added.map((name) =>
    prependRule({ rule: [...cameBy(plan.uplink), ...goesBy(name), ...accept()] }, chain),
  )
  if (requests.length > 0) commit(rules, ...requests)
  const { version6 } = plan.outlets
  const switched = openGate(rules, { ...plan.outlets, names, version6 })
  return { names: new Set([...known, ...added]), switched }
}

/** Takes back what `admitHub` did, and what no other hub needs. The host's lock is held. */
export function dismissHub(rules: NetlinkSocket, switched: ReadonlySet<Setting>): void {
  rules[Symbol.dispose]()
  using socket = new NetlinkSocket('netfilter')
  const isShared = readTables(socket).some((table) => table.isOwned && isUplink(table))
  if (!isShared) closeGate(socket, switched)
}

function isUplink({ name }: { readonly name: string }): boolean {
  return name.startsWith(LINK_NAME)
}

/**
 * What lets packets of all hubs pass through a host, shared by them: links that forward, and rules in chains
 * that drop what nothing accepts. The kernel does not take these back when a builder dies. So they say of
 * themselves what they are, the last hub takes them back, or the first that comes after it.
 *
 * A link that forwards makes a router of the host. So a guard comes first that lets nothing new pass from such
 * a link but to hubs, and nothing removes it as long as the link forwards, not even the end of all builders.
 */
import type { NetlinkSocket } from '../netlink/netlink-socket.ts'
import {
  accept,
  cameBy,
  drop,
  goesBy,
  ofKnownConnection,
  ofTranslatedTarget,
  ofVersion,
  type Rule,
} from '../rules/expressions.ts'
import { type FoundTable, readForwardChains, readRules, readTables } from '../rules/read-rules.ts'
import {
  addTable,
  appendRule,
  type ChainName,
  commit,
  deleteRule,
  deleteTable,
  type Table,
} from '../rules/rule-requests.ts'
import { LINK_NAME } from './hub-addresses.ts'
import { acceptInLegacyTables, leaveLegacyTables } from './legacy-gate.ts'
import {
  FORWARDS_VERSION6,
  forwardsVersion4,
  forwardsVersion6,
  hasSetting,
  isOn,
  type Setting,
  switchSetting,
} from './link-settings.ts'
import type { Outlets } from './outlets.ts'

/** Whether packets of version 6 can be forwarded without every link of the host forwarding them from then on. */
export function canForwardVersion6(): boolean {
  return (
    hasSetting(forwardsVersion6('lo')) || (hasSetting(FORWARDS_VERSION6) && isOn(FORWARDS_VERSION6))
  )
}

/**
 * Opens the gate, as far as it is not open. The host's lock is held.
 * @returns what hubs have switched on, for the one that closes it: the rules that say so may be gone by then
 */
export function openGate(
  socket: NetlinkSocket,
  { names, version6 }: Outlets,
): ReadonlySet<Setting> {
  const settings = names.flatMap((name) => forwardingOf(name, version6))
  const off = settings.filter((setting) => !isOn(setting))
  const guarded = guard(socket, off)
  for (const setting of off) switchSetting(setting, 'on')
  acceptForwarded(socket)
  acceptInLegacyTables(LEGACY_HUBS)
  return guarded
}

/** What lets a link forward, and no others. */
export function forwardingOf(link: string, version6: boolean): readonly Setting[] {
  const needsVersion6 = version6 && !isOn(FORWARDS_VERSION6)
  return [forwardsVersion4(link), ...(needsVersion6 ? [forwardsVersion6(link)] : [])]
}

/**
 * Closes it, and takes everything back that `openGate` has done for any hub. The host's lock is held.
 * @param switched what is known to be switched on
 */
export function closeGate(socket: NetlinkSocket, switched: ReadonlySet<Setting>): void {
  const hasGuard = readTables(socket).some(isGuard)
  const guarded = hasGuard ? guardedSettings(socket) : new Set<Setting>()
  for (const setting of new Set([...switched, ...guarded])) restore(setting)
  if (hasGuard) commit(socket, deleteTable(GUARD.family, GUARD.table))
  const ours = readForwardChains(socket).flatMap((chain) =>
    readRules(socket, chain).filter(({ comment }) => comment === LINK_NAME),
  )
  if (ours.length > 0) commit(socket, ...ours.map(deleteRule))
  leaveLegacyTables(LEGACY_HUBS)
}

/** Adds a rule for each setting that is to be switched on. @returns these, and those that have one already */
function guard(socket: NetlinkSocket, settings: readonly Setting[]): ReadonlySet<Setting> {
  const hasGuard = readTables(socket).some(isGuard)
  const known = hasGuard ? guardedSettings(socket) : new Set<Setting>()
  const unknown = settings.filter((setting) => !known.has(setting))
  if (unknown.length > 0) {
    const rules = unknown.map((setting) => ({ rule: guardRule(setting), comment: setting }))
    const table = hasGuard ? [] : addTable(GUARD_TABLE)
    commit(socket, ...table, ...rules.map((rule) => appendRule(rule, GUARD)))
  }
  return new Set([...known, ...unknown])
}

/** Each rule of the guard says which setting it is for, and that it has to be switched off with it. */
function guardedSettings(socket: NetlinkSocket): ReadonlySet<Setting> {
  return new Set(
    readRules(socket, GUARD).flatMap(({ comment }) =>
      comment === undefined ? [] : [comment as Setting],
    ),
  )
}

function guardRule(setting: Setting): Rule {
  const [version, , link = ''] = setting.split('/')
  return [...ofVersion(version === 'ipv6' ? 6 : 4), ...cameBy(link), ...drop()]
}

/** What forwards since something else wants it by now stays as it is. */
function restore(setting: Setting): void {
  if (!hasSetting(setting)) return
  const isWanted = setting.startsWith('ipv4/') && isOn(forwardsVersion4('all'))
  if (!isWanted) switchSetting(setting, 'off')
}

/**
 * A chain that drops what it does not accept, as dockerd makes one, gets rules at its end: what its own rules
 * drop stays dropped. They are of the kind that `iptables` can read; which packets to a hub are answers, the
 * hub's own table says.
 */
function acceptForwarded(socket: NetlinkSocket): void {
  const owned = new Set(readTables(socket).flatMap(({ name, isOwned }) => (isOwned ? [name] : [])))
  for (const chain of readForwardChains(socket)) {
    if (!chain.drops || owned.has(chain.table)) continue
    if (readRules(socket, chain).some(({ comment }) => comment === LINK_NAME)) continue
    const rules = [cameBy(HUBS), goesBy(HUBS)].map((match) => [...match, ...accept()])
    commit(socket, ...rules.map((rule) => appendRule({ rule, comment: LINK_NAME }, chain)))
  }
}

const HUBS = `${LINK_NAME}*`
const LEGACY_HUBS = `${LINK_NAME}+`
const GUARD: ChainName = { family: 'inet', table: LINK_NAME, chain: 'guard' }

const GUARD_TABLE: Table = {
  family: GUARD.family,
  name: GUARD.table,
  isOwned: false,
  chains: [
    {
      name: GUARD.chain,
      hook: 'forward',
      stage: 'filter',
      rules: [
        { rule: [...goesBy(HUBS), ...accept()] },
        // Of what the host forwards for others, which may begin meanwhile.
        { rule: [...ofKnownConnection(), ...accept()] },
        { rule: [...ofTranslatedTarget(), ...accept()] },
      ],
    },
  ],
}

function isGuard({ family, name }: FoundTable): boolean {
  return family === GUARD.family && name === GUARD.table
}

import { isIPv4, isIPv6 } from 'node:net'
import { usageError } from '#core'
import type { CreateBody, EndpointConfig } from '#engine/model'
import type { Arguments } from '../../arguments/flags.ts'
import { argumentError, csvFields, pairs, splitPair, withoutEmpty } from './values.ts'

/** What of a create body is about networks. */
export interface NetworkSettings {
  readonly mode: string
  readonly endpoints: NonNullable<NonNullable<CreateBody['NetworkingConfig']>['EndpointsConfig']>
}

/** One network of `--network`, in its long form. */
interface Attachment {
  readonly name: string
  readonly aliases: readonly string[]
  readonly driverOptions: readonly string[]
  readonly links: readonly string[]
  readonly ip: string
  readonly ip6: string
  readonly linkLocal: readonly string[]
  readonly mac: string
  readonly priority: number
}

const NO_SETTINGS: Omit<Attachment, 'name'> = {
  aliases: [],
  driverOptions: [],
  links: [],
  ip: '',
  ip6: '',
  linkLocal: [],
  mac: '',
  priority: 0,
}

/** `--network`, and the flags about the first network. @throws {TsbuildError} USAGE */
export function parseNetworks(args: Arguments): NetworkSettings {
  const given = [...args.list('network'), ...args.list('net')].map(parseNetwork)
  const [first = { ...NO_SETTINGS, name: 'default' }, ...others] = given
  const all = [withFlags(first, args), ...others]
  const own = all.filter(({ name }) => isUserDefined(name)).length
  if (own > 0 && own < all.length) {
    throw usageError(
      'conflicting options: cannot attach both user-defined and non-user-defined network-modes',
    )
  }
  const endpoints: Record<string, EndpointConfig> = {}
  for (const attachment of all) {
    const { name } = attachment
    if (endpoints[name] !== undefined) {
      throw usageError(`network "${name}" is specified multiple times`)
    }
    endpoints[name] = endpointOf(attachment)
  }
  return { mode: first.name, endpoints }
}

/** Whether a mode is the name of a network that a user has made. */
function isUserDefined(mode: string): boolean {
  return !/^(?:default|bridge|host|none|container:.*)$/s.test(mode)
}

/** `NAME`, or `name=NAME,alias=A,ip=IP,…` */
function parseNetwork(text: string): Attachment {
  if (!/\w+=\w+(?:,\w+=\w+)*/.test(text)) return { ...NO_SETTINGS, name: text }
  let found: Attachment = { ...NO_SETTINGS, name: '' }
  for (const field of csvFields(text)) {
    const [name, value] = splitPair(field)
    found = { ...found, ...settingOf(name.trim().toLowerCase(), value.trim(), found) }
  }
  if (found.name === '') throw argumentError('network', text, 'network name/id is not specified')
  return found
}

function settingOf(name: string, value: string, found: Attachment): Partial<Attachment> {
  switch (name) {
    case 'name':
      return { name: value }
    case 'alias':
      return { aliases: [...found.aliases, value] }
    case 'ip':
      return { ip: address(value, isIPv4) }
    case 'ip6':
      return { ip6: address(value, isIPv6) }
    case 'mac-address':
      return { mac: macAddress(value) }
    case 'link-local-ip':
      return { linkLocal: [...found.linkLocal, address(value, () => true)] }
    case 'driver-opt':
      return { driverOptions: [...found.driverOptions, value] }
    case 'gw-priority':
      if (!/^-?\d+$/.test(value)) throw usageError(`invalid gw-priority (${value})`)
      return { priority: Number(value) }
    default:
      throw usageError(
        `invalid field key ${name}`,
        'use name, alias, ip, ip6, mac-address, link-local-ip, driver-opt or gw-priority',
      )
  }
}

function address(text: string, isValid: (text: string) => boolean): string {
  if (isValid(text)) return text
  throw usageError(`invalid IP address: ${text}`)
}

function macAddress(text: string): string {
  if (/^[\da-f]{2}(?:[:-][\da-f]{2}){5,7}$/i.test(text)) return text
  throw usageError(`${text} is not a valid mac address`)
}

/** The flags that are older than the long form are about the first network. */
function withFlags(first: Attachment, args: Arguments): Attachment {
  const flags: Attachment = {
    ...NO_SETTINGS,
    name: first.name,
    aliases: [...args.list('network-alias'), ...args.list('net-alias')],
    links: isUserDefined(first.name) ? args.list('link') : [],
    ip: address(args.text('ip') ?? '', (text) => text === '' || isIPv4(text)),
    ip6: address(args.text('ip6') ?? '', (text) => text === '' || isIPv6(text)),
    linkLocal: args.list('link-local-ip'),
    mac: args.text('mac-address') ? macAddress(args.text('mac-address') ?? '') : '',
  }
  const both = CONFLICTS.find(({ field }) => !isEmpty(first[field]) && !isEmpty(flags[field]))
  if (both !== undefined) {
    throw usageError(
      `conflicting options: cannot specify both --${both.flag} and per-network ${both.what}`,
    )
  }
  return { ...first, ...withoutEmpty(flags) }
}

const CONFLICTS = [
  { field: 'aliases', flag: 'network-alias', what: 'alias' },
  { field: 'ip', flag: 'ip', what: 'IPv4 address' },
  { field: 'ip6', flag: 'ip6', what: 'IPv6 address' },
  { field: 'mac', flag: 'mac-address', what: 'MAC address' },
  { field: 'linkLocal', flag: 'link-local-ip', what: 'link-local IP addresses' },
] as const

function isEmpty(value: string | readonly string[]): boolean {
  return value.length === 0
}

function endpointOf(attachment: Attachment): EndpointConfig {
  const { name, aliases, links, ip, ip6, linkLocal, mac, priority } = attachment
  if (name.trim() === '') throw usageError('no name set for network')
  if (!isUserDefined(name) && aliases.length > 0) {
    throw usageError('network-scoped aliases are only supported for user-defined networks')
  }
  const addresses = { IPv4Address: ip, IPv6Address: ip6, LinkLocalIPs: linkLocal }
  return withoutEmpty({
    Aliases: aliases,
    Links: links,
    DriverOpts: pairs(attachment.driverOptions),
    IPAMConfig: withoutEmpty(addresses),
    MacAddress: mac,
    GwPriority: priority,
  })
}

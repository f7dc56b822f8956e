import { parseResolvConf, type ResolvConf } from '#builder/network'
import type { HostConfig } from '#engine/model'

/** Where containers of networks with names ask for them. */
const OWN_SERVER = '127.0.0.11'

/** Whom docker asks where the host has no server that a container reaches. */
const PUBLIC_SERVERS: readonly string[] = ['8.8.8.8', '8.8.4.4']

/** Whether a container asks this engine for names, or the servers of the host. */
export type NameSource = 'engine' | 'host'

/** The text of a container's resolv.conf. @param hostText the host's */
export function resolvConfText(config: HostConfig, source: NameSource, hostText: string): string {
  const host = parseResolvConf(hostText)
  const servers = source === 'engine' ? [OWN_SERVER] : reachableServers(config, host, hostText)
  const search = searchOf(config, host)
  const options = optionsOf(config, host, source)
  return [
    ...(search.length === 0 ? [] : [`search ${search.join(' ')}\n`]),
    ...servers.map((server) => `nameserver ${server}\n`),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}\n`]),
  ].join('')
}

/** The servers that a container names; none: it asks those of the host. */
export function namedServers({ Dns = [] }: HostConfig): readonly string[] {
  return Dns
}

function reachableServers(
  { Dns = [] }: HostConfig,
  host: ResolvConf,
  hostText: string,
): readonly string[] {
  if (Dns.length > 0) return Dns
  const isNamed = /^[ \t]*nameserver\b/m.test(hostText)
  const all = isNamed ? [...host.servers, ...host.refused] : []
  const reachable = all.filter((server) => !server.startsWith('127.') && server !== '::1')
  return reachable.length > 0 ? reachable : PUBLIC_SERVERS
}

/** A dot alone means none. */
function searchOf({ DnsSearch = [] }: HostConfig, host: ResolvConf): readonly string[] {
  const asked = DnsSearch.length > 0 ? DnsSearch : wordsOf(host, 'search', 'domain')
  return asked.filter((domain) => domain !== '.' && domain !== '')
}

function optionsOf(
  { DnsOptions = [] }: HostConfig,
  host: ResolvConf,
  source: NameSource,
): readonly string[] {
  const asked = DnsOptions.length > 0 ? DnsOptions : wordsOf(host, 'options')
  const hasDots = asked.some((option) => option.startsWith('ndots:'))
  return source === 'engine' && !hasDots ? [...asked, 'ndots:0'] : asked
}

/** What the last of these lines says. */
function wordsOf({ others }: ResolvConf, ...keywords: readonly string[]): readonly string[] {
  const found = others
    .map((line) => line.split(' '))
    .findLast(([word = '']) => keywords.includes(word))
  return found?.slice(1) ?? []
}

import { BlockList, isIP } from 'node:net'

/** A host of a URL, as entries of `NO_PROXY` are compared with it. */
export interface ProxiedHost {
  /** In lower case; IPv6 addresses without brackets. */
  readonly name: string
  readonly port: string
}

type Rule = (host: ProxiedHost) => boolean

/**
 * Whether `NO_PROXY` excepts a host. An entry is `*`, an address, a range (`10.0.0.0/8`), a name with all names
 * below it (`corp.example`) or only these (`.corp.example`, `*.corp.example`), each but a range with an optional
 * port. Names are not looked up. Spec: golang.org/x/net/http/httpproxy, Config.NoProxy
 */
export function isExcepted(host: ProxiedHost, noProxy: string): boolean {
  return noProxy
    .toLowerCase()
    .split(',')
    .map((entry) => entry.trim())
    .some((entry) => entry !== '' && ruleOf(entry)(host))
}

function ruleOf(entry: string): Rule {
  if (entry === '*') return () => true
  const range = /^([^/]+)\/(\d{1,3})$/.exec(entry)
  if (range !== null) return rangeRule(range[1] ?? '', Number(range[2]))
  const [name, port] = splitPort(entry)
  const hasPort: Rule = (host) => port === '' || port === host.port
  const family = isIP(name)
  if (family !== 0)
    return (host) => isWithin(host.name, name, family === 4 ? 32 : 128) && hasPort(host)
  const suffix = name.replace(/^\*?\./, '')
  if (suffix === '') return () => false
  const isOnlyBelow = suffix !== name
  return (host) =>
    hasPort(host) && (host.name.endsWith(`.${suffix}`) || (!isOnlyBelow && host.name === suffix))
}

function rangeRule(address: string, prefix: number): Rule {
  const family = isIP(address)
  if (family === 0 || prefix > (family === 4 ? 32 : 128)) return () => false
  return (host) => isWithin(host.name, address, prefix)
}

/** An address of IPv4 that is written as one of IPv6 is the same address. */
function isWithin(host: string, address: string, prefix: number): boolean {
  const family = isIP(host)
  if (family === 0) return false
  const list = new BlockList()
  list.addSubnet(address, prefix, isIP(address) === 4 ? 'ipv4' : 'ipv6')
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

/** `[::1]:80`, `[::1]`, `::1`, `host:80` and `host`. */
function splitPort(entry: string): readonly [name: string, port: string] {
  const bracketed = /^\[(.*)\](?::(\d+))?$/.exec(entry)
  if (bracketed !== null) return [bracketed[1] ?? '', bracketed[2] ?? '']
  const named = /^([^:]*):(\d+)$/.exec(entry)
  return named === null ? [entry, ''] : [named[1] ?? '', named[2] ?? '']
}

import { readFileSync, statSync } from 'node:fs'
import { BlockList, isIP, isIPv4 } from 'node:net'
import { addressText, isVersion6, LINK_LOCAL } from '../links/address.ts'

/** What a resolv.conf says. Spec: resolv.conf(5) */
export interface ResolvConf {
  /** Addresses of servers that may be asked, in order. */
  readonly servers: readonly string[]
  /** Those that are never asked: link-local ones, where clouds have what gives out credentials. */
  readonly refused: readonly string[]
  /** The lines about search domains and options, as they are. */
  readonly others: readonly string[]
}

/** The host's. */
export const HOST_RESOLV_CONF = '/etc/resolv.conf'

/** Servers that the C library asks: those behind are not looked at. */
const MAX_SERVERS = 3
/** What is asked when no server is named. */
const LOCAL_SERVER = '127.0.0.1'
const OTHER_KEYWORDS: readonly string[] = ['search', 'domain', 'options', 'sortlist']

/** Reads the text of a resolv.conf; what is not understood is left out. */
export function parseResolvConf(text: string): ResolvConf {
  const lines = text.split('\n').map((line) => line.trim().split(/[ \t]+/))
  const named = lines
    .filter(([keyword]) => keyword === 'nameserver')
    .flatMap(([, address = '']) => (isIP(address) !== 0 ? [address] : []))
    .slice(0, MAX_SERVERS)
  const all = named.length === 0 ? [LOCAL_SERVER] : named
  return {
    servers: all.filter((address) => !isLinkLocal(address)),
    refused: all.filter(isLinkLocal),
    others: lines
      .filter(([keyword = '']) => OTHER_KEYWORDS.includes(keyword))
      .map((words) => words.join(' ')),
  }
}

/** The host's resolv.conf, read again when it has changed. */
export class FollowedResolvConf {
  readonly #path: string
  #version: string | undefined
  #content: ResolvConf = parseResolvConf('')

  constructor(path: string = HOST_RESOLV_CONF) {
    this.#path = path
  }

  /** What it says now. One that cannot be read, as while it is being replaced, counts as unchanged. */
  current(): ResolvConf {
    try {
      const { dev, ino, size, mtimeNs } = statSync(this.#path, { bigint: true })
      const version = `${dev}:${ino}:${size}:${mtimeNs}`
      if (version === this.#version) return this.#content
      this.#content = parseResolvConf(readFileSync(this.#path, 'utf8'))
      this.#version = version
    } catch {
      // What was read before holds.
    }
    return this.#content
  }
}

/** With the clouds' servers of credentials. An IPv6 address may end in the name of an interface. */
function isLinkLocal(address: string): boolean {
  const [number = ''] = address.split('%')
  return NEVER_ASKED.check(number, isIPv4(number) ? 'ipv4' : 'ipv6')
}

const NEVER_ASKED = new BlockList()
for (const { address, length } of LINK_LOCAL) {
  NEVER_ASKED.addSubnet(addressText(address), length, isVersion6(address) ? 'ipv6' : 'ipv4')
}

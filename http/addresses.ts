import { BlockList, isIPv4, isIPv6 } from 'node:net'

type Address = readonly [address: string, prefix?: number]

const LOOPBACK: readonly Address[] = [['127.0.0.0', 8], ['::1']]

/** Addresses that only mean something on this machine or its link: metadata services live there. */
const LOCAL: readonly Address[] = [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
  ['::'],
  ['::1'],
  ['fe80::', 10],
  ['ff00::', 8],
  // Metadata services elsewhere: of Amazon, Google, Alibaba, Azure and Oracle.
  ['fd00:ec2::', 32],
  ['fd20:ce::254'],
  ['100.100.100.200'],
  ['168.63.129.16'],
  ['192.0.0.192'],
]

/** IPv6 addresses, as 32 hex digits, behind which there is an IPv4 address; the first counts. */
const EMBEDDED = [
  // Compatible, mapped and translated. Spec: RFC 4291 2.5.5, RFC 2765 2.1
  /^(?:0{24}|0{20}ffff|0{16}ffff0000)(.{8})$/,
  // NAT64, also with a prefix of the network's own. Spec: RFC 6052 2.2, RFC 8215
  /^0064ff9b0{16}(.{8})$/,
  /^0064ff9b0001(.{4})00(.{4})0{10}$/,
  /^0064ff9b0001.{12}(.{8})$/,
  // 6to4 and ISATAP. Spec: RFC 3056 2, RFC 5214 6.1
  /^2002(.{8})/,
  /^.{16}0[02]005efe(.{8})$/,
]
/** Teredo inverts every bit of the address. Spec: RFC 4380 4 */
const INVERTED = /^20010000.{16}(.{8})$/

/** True for `localhost`, names below it, 127.0.0.0/8 and ::1; `host` is a URL's hostname. */
export function isLoopback(host: string): boolean {
  const name = withoutBrackets(host)
  if (name === 'localhost' || name.endsWith('.localhost')) return true
  return isListed(LOOPBACK, name)
}

/**
 * True for an address of this machine or link, and for those of IPv6 that lead to one through a
 * translator or a tunnel; names are never one.
 */
export function isLocalAddress(host: string): boolean {
  const address = withoutBrackets(host)
  return isListed(LOCAL, address) || isListed(LOCAL, embeddedIn(address) ?? '')
}

/**
 * Whether an answer that comes from one host may lead to another one: to an address of this machine
 * only from this machine, and to one of its link not at all. `from` is a host that the user named.
 */
export function mayLeadTo(to: URL, from: URL): boolean {
  if (to.hostname === from.hostname) return true
  if (isLoopback(to.hostname)) return isLoopback(from.hostname)
  return !isLocalAddress(to.hostname)
}

/** The IPv4 address that an IPv6 address stands for. */
function embeddedIn(address: string): string | undefined {
  if (!isVersion6(address)) return undefined
  const digits = hexDigits(address)
  const inverted = INVERTED.exec(digits)?.[1]
  if (inverted !== undefined) return dotted(~Number.parseInt(inverted, 16))
  for (const form of EMBEDDED) {
    const found = form.exec(digits)
    if (found !== null) return dotted(Number.parseInt(found.slice(1).join(''), 16))
  }
  return undefined
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((bits) => (value >>> bits) & 255).join('.')
}

/** All 32 digits; a URL has the last four bytes as hex digits too. */
function hexDigits(address: string): string {
  const [head = '', tail = ''] = withoutBrackets(new URL(`http://[${address}]`).hostname).split(
    '::',
  )
  const digitsOf = (part: string): string =>
    part.replace(/[^:]+/g, (group) => group.padStart(4, '0')).replaceAll(':', '')
  return digitsOf(head).padEnd(32 - digitsOf(tail).length, '0') + digitsOf(tail)
}

const lists = new Map<readonly Address[], BlockList>()

function isListed(addresses: readonly Address[], address: string): boolean {
  if (isIPv4(address)) return listOf(addresses).check(address, 'ipv4')
  return isVersion6(address) && listOf(addresses).check(address, 'ipv6')
}

/** Made when it is needed: most builds ask no host. */
function listOf(addresses: readonly Address[]): BlockList {
  const known = lists.get(addresses)
  if (known !== undefined) return known
  const list = new BlockList()
  for (const [address, prefix] of addresses) {
    const family = address.includes(':') ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, prefix, family)
  }
  lists.set(addresses, list)
  return list
}

/** Node compiles an expression of some milliseconds for its answer, which no host name needs. */
function isVersion6(address: string): boolean {
  return address.includes(':') && isIPv6(address)
}

/** IPv6 addresses without brackets and zone. */
function withoutBrackets(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/%.*$/, '')
    .replace(/\.$/, '')
}

import { BlockList, isIP } from 'node:net'
import { DEFAULT_REGISTRY } from './reference.ts'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** Addresses that only mean something on this machine or its link: metadata services live there. */
const LOCAL = new BlockList()
LOCAL.addSubnet('0.0.0.0', 8, 'ipv4')
LOCAL.addSubnet('127.0.0.0', 8, 'ipv4')
LOCAL.addSubnet('169.254.0.0', 16, 'ipv4')
LOCAL.addSubnet('224.0.0.0', 3, 'ipv4')
LOCAL.addAddress('::', 'ipv6')
LOCAL.addAddress('::1', 'ipv6')
LOCAL.addSubnet('fe80::', 10, 'ipv6')
LOCAL.addSubnet('ff00::', 8, 'ipv6')
LOCAL.addAddress('fd00:ec2::254', 'ipv6')

/** The host that serves a registry's API: Docker Hub's is not called `docker.io`. */
export function networkHost(registry: string): string {
  return registry === DEFAULT_REGISTRY ? 'registry-1.docker.io' : registry
}

/** True for `localhost`, names below it, 127.0.0.0/8 and ::1; `host` is a URL's hostname. */
export function isLoopback(host: string): boolean {
  const name = bare(host)
  if (name === 'localhost' || name.endsWith('.localhost')) return true
  return isListed(LOOPBACK, name)
}

/** True for an address of this machine or link (IPv4-mapped ones too); names are never one. */
export function isLocalAddress(host: string): boolean {
  return isListed(LOCAL, bare(host))
}

function isListed(list: BlockList, address: string): boolean {
  const family = isIP(address)
  if (family === 0) return false
  return list.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** IPv6 addresses without brackets and zone. */
function bare(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/%.*$/, '')
    .replace(/\.$/, '')
}

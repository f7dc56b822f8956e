import { createHash } from 'node:crypto'
import {
  isVersion6,
  overlap,
  type Prefix,
  parsePrefix,
  parsePrefixes,
  prefixText,
} from '#builder/network'
import { TsbuildError } from '#core'

/** Networks for those that name none, in docker's order: each with the length of what is cut out of it. */
const POOLS: readonly (readonly [within: string, length: number])[] = [
  ...([17, 18, 19].map((second) => [`172.${second}.0.0/16`, 16]) as [string, number][]),
  ['172.20.0.0/14', 16],
  ['172.24.0.0/14', 16],
  ['172.28.0.0/14', 16],
  ['192.168.0.0/16', 20],
]

/** The first network of version 4 that nothing has. @throws {TsbuildError} IO_FAILED when there is none */
export function chooseVersion4(taken: readonly string[]): string {
  const prefixes = parsePrefixes(taken)
  for (const [within, length] of POOLS) {
    const { address, length: outer } = parsePrefix(within) ?? { address: [], length }
    const count = 1 << (length - outer)
    for (let index = 0; index < count; index++) {
      const [first = 0, second = 0, third = 0] = address
      const step = length === 16 ? [second + index, third] : [second, third + index * 16]
      const found = { address: Uint8Array.of(first, ...step, 0), length }
      if (!prefixes.some((other) => overlap(other, found))) return prefixText(found)
    }
  }
  const message = 'all predefined address pools have been fully subnetted'
  throw new TsbuildError(message, { code: 'IO_FAILED' })
}

/** More networks than an engine has. */
const MOST = 0x1_0000

/**
 * A network of version 6 that nothing has, and that other machines do not have either. Spec: RFC 4193
 * @param seed always the same on one engine
 */
export function chooseVersion6(seed: string, taken: readonly string[]): string {
  const prefixes = parsePrefixes(taken)
  const id = createHash('sha256').update(seed).digest().subarray(0, 5)
  for (let subnet = 0; subnet < MOST; subnet++) {
    const address = Uint8Array.of(0xfd, ...id, subnet >> 8, subnet & 0xff, ...new Uint8Array(8))
    const found: Prefix = { address, length: 64 }
    if (!prefixes.some((other) => overlap(other, found))) return prefixText(found)
  }
  throw new TsbuildError('no network of version 6 is left', { code: 'IO_FAILED' })
}

/** Whether a subnet is one of version 6. */
export function isSubnet6(subnet = ''): boolean {
  const prefix = parsePrefix(subnet)
  return prefix !== undefined && isVersion6(prefix.address)
}

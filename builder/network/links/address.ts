import { Buffer } from 'node:buffer'
import { isIP, SocketAddress } from 'node:net'

/** An address of the internet protocol: 4 bytes, or 16 of version 6. */
export type Address = Uint8Array

/** All addresses that begin with the same bits. */
export interface Prefix {
  readonly address: Address
  /** How many bits. */
  readonly length: number
}

/** Addresses that mean nothing behind the link; at those of version 4, clouds tell a machine its secrets. */
export const LINK_LOCAL: readonly Prefix[] = [
  { address: Uint8Array.of(169, 254, 0, 0), length: 16 },
  { address: Uint8Array.of(0xfe, 0x80, ...new Uint8Array(14)), length: 10 },
]

/** As people write it. */
export function addressText(address: Address): string {
  if (!isVersion6(address)) return [...address].join('.')
  const groups = Array.from({ length: 8 }, (_, index) =>
    Buffer.from(address).readUInt16BE(index * 2),
  )
  const text = groups.map((group) => group.toString(16)).join(':')
  return new SocketAddress({ address: text, family: 'ipv6' }).address
}

/** The address that people write so, without the name of a link; `undefined` for what is none. */
export function parseAddress(text: string): Address | undefined {
  const version = text.includes('%') ? 0 : isIP(text)
  if (version === 4) return Uint8Array.from(text.split('.'), Number)
  if (version === 6) return groupsOf(new SocketAddress({ address: text, family: 'ipv6' }).address)
  return undefined
}

/** The bytes of an address of version 6 as the kernel writes it: `::ffff:192.0.2.1` has a part of version 4. */
function groupsOf(text: string): Address {
  const [before = [], after] = text.split('::').map((part) =>
    part.split(':').flatMap((group) => {
      if (group === '') return []
      if (group.includes('.')) return group.split('.').map(Number)
      const number = Number.parseInt(group, 16)
      return [number >> 8, number & 0xff]
    }),
  )
  const bytes = new Uint8Array(16)
  bytes.set(before)
  if (after !== undefined) bytes.set(after, bytes.length - after.length)
  return bytes
}

/** The prefix that people write so (`192.0.2.0/24`), with the bits behind it; `undefined` for what is none. */
export function parsePrefix(text: string): Prefix | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text)
  const address = parseAddress(match?.[1] ?? '')
  const length = Number(match?.[2])
  if (address === undefined || length > address.length * 8) return undefined
  return { address, length }
}

/** The same without the bits behind it. */
export function wholePrefix({ address, length }: Prefix): Prefix {
  const bits = (index: number): number => Math.max(0, Math.min(8, length - index * 8))
  return { address: address.map((byte, index) => byte & (0xff00 >> bits(index))), length }
}

/** All of `texts` that are prefixes. */
export function parsePrefixes(texts: readonly string[]): readonly Prefix[] {
  return texts.flatMap((text) => parsePrefix(text) ?? [])
}

/** The prefix that only one address has. */
export function hostPrefix(address: Address): Prefix {
  return { address, length: address.length * 8 }
}

/** As people write it. */
export function prefixText({ address, length }: Prefix): string {
  return `${addressText(address)}/${length}`
}

/** Whether an address is one of version 6. */
export function isVersion6(address: Address): boolean {
  return address.length === 16
}

/** The address that follows `first` after `count` others. */
export function addressAt(first: Address, count: number): Address {
  const bytes = Buffer.from(first)
  const end = bytes.length - 4
  bytes.writeUInt32BE((bytes.readUInt32BE(end) + count) >>> 0, end)
  return bytes
}

/** Whether an address has the prefix. */
export function isWithin(address: Address, prefix: Prefix): boolean {
  return overlap(prefix, hostPrefix(address))
}

/** Whether an address is in both. */
export function overlap(one: Prefix, other: Prefix): boolean {
  if (one.address.length !== other.address.length) return false
  const bits = Math.min(one.length, other.length)
  const whole = bits >> 3
  for (let index = 0; index < whole; index++) {
    if (one.address[index] !== other.address[index]) return false
  }
  const mask = 0xff00 >> (bits & 7)
  return ((one.address[whole] ?? 0) & mask & 0xff) === ((other.address[whole] ?? 0) & mask & 0xff)
}

import { Buffer } from 'node:buffer'
import { SocketAddress } from 'node:net'

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

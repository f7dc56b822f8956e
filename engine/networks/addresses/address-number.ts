import { Buffer } from 'node:buffer'
import { type Address, addressText, type Prefix } from '#builder/network'

/** An address as a number, to count with. */
export function toNumber(address: Address): bigint {
  return BigInt(`0x${Buffer.from(address).toString('hex')}`)
}

/** The address that a number stands for, as people write it. @param size bytes */
export function textOfNumber(number: bigint, size: number): string {
  return addressText(Buffer.from(number.toString(16).padStart(size * 2, '0'), 'hex'))
}

/** The first and the last address of a prefix. */
export function rangeOf({ address, length }: Prefix): readonly [first: bigint, last: bigint] {
  const size = 1n << BigInt(address.length * 8 - length)
  const first = (toNumber(address) / size) * size
  return [first, first + size - 1n]
}

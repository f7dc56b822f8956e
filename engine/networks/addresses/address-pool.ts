import { type Prefix, parseAddress, parsePrefix } from '#builder/network'
import { TsbuildError } from '#core'
import type { IpamConfig } from '#engine/model'
import { rangeOf, textOfNumber, toNumber } from './address-number.ts'

/** What is left of the addresses of a subnet. Spec: Docker Engine API, SubnetStatus */
export interface PoolStatus {
  readonly IPsInUse: number
  readonly DynamicIPsAvailable: number
}

/** More than this is not a number of 64 bits for those who read it, when it is written in decimals. */
const MOST = 2 ** 64 - 2 ** 11

/** The addresses of one subnet, of which each belongs to one container. */
export class AddressPool {
  readonly config: IpamConfig
  readonly prefix: Prefix
  readonly #first: bigint
  readonly #last: bigint
  readonly #range: readonly [first: bigint, last: bigint]
  readonly #taken = new Set<bigint>()

  /** @param config with a subnet */
  constructor(config: IpamConfig) {
    this.config = config
    this.prefix = prefixOf(config.Subnet)
    const range = config.IPRange ? prefixOf(config.IPRange) : this.prefix
    ;[this.#first, this.#last] = rangeOf(this.prefix)
    this.#range = rangeOf(range)
    const isVersion4 = this.#size === 4
    // Of two addresses or one, each is for a container.
    if (this.#last - this.#first > 1n) {
      this.#taken.add(this.#first)
      if (isVersion4) this.#taken.add(this.#last)
    }
    const reserved = [config.Gateway ?? '', ...Object.values(config.AuxiliaryAddresses ?? {})]
    for (const text of reserved) {
      const address = parseAddress(text)
      if (address !== undefined) this.#taken.add(toNumber(address))
    }
  }

  get #size(): number {
    return this.prefix.address.length
  }

  /** Whether an address is one of the subnet. */
  has(text: string): boolean {
    const address = parseAddress(text)
    if (address?.length !== this.#size) return false
    const number = toNumber(address)
    return number >= this.#first && number <= this.#last
  }

  /** The least address that is free; `undefined` when there is none. */
  takeFree(): string | undefined {
    const [first, last] = this.#range
    for (let number = first; number <= last; number++) {
      if (this.#taken.has(number)) continue
      this.#taken.add(number)
      return textOfNumber(number, this.#size)
    }
    return undefined
  }

  /** Takes an address of the subnet. @throws {TsbuildError} PERMISSION_DENIED when it is taken */
  take(text: string): string {
    const number = toNumber(parseAddress(text) ?? new Uint8Array(this.#size))
    if (this.#taken.has(number)) {
      throw new TsbuildError('Address already in use', { code: 'PERMISSION_DENIED' })
    }
    this.#taken.add(number)
    return textOfNumber(number, this.#size)
  }

  giveBack(text: string): void {
    const address = parseAddress(text)
    if (address !== undefined) this.#taken.delete(toNumber(address))
  }

  status(): PoolStatus {
    const [first, last] = this.#range
    const used = [...this.#taken].filter((number) => number >= first && number <= last).length
    const available = last - first + 1n - BigInt(used)
    return {
      IPsInUse: this.#taken.size,
      DynamicIPsAvailable: Math.min(Number(available), MOST),
    }
  }
}

function prefixOf(text = ''): Prefix {
  const prefix = parsePrefix(text)
  if (prefix === undefined) throw new TsbuildError(`invalid subnet ${text}`, { code: 'USAGE' })
  return prefix
}

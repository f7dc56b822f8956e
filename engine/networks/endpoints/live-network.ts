import { randomBytes } from 'node:crypto'
import type { BridgeNetwork, NetworkSpec } from '#builder/network'
import { TsbuildError } from '#core'
import { type EndpointConfig, newId } from '#engine/model'
import { AddressPool, type PoolStatus } from '../addresses/address-pool.ts'
import { bridgeOptions } from '../records/network-options.ts'
import { isPredefined, type NetworkRecord } from '../records/network-record.ts'

/** A container that is in a network now. */
export interface LiveEndpoint {
  /** 64 hexadecimal digits, new with each stay. */
  readonly id: string
  readonly container: { readonly id: string; readonly name: string }
  readonly config: EndpointConfig
  readonly version4: string | undefined
  readonly version6: string | undefined
  readonly hardwareAddress: string
}

/** What a container is in a network as. */
export interface EndpointRequest {
  readonly container: LiveEndpoint['container']
  readonly config: EndpointConfig
}

/** A network while its engine runs: its addresses, who is in it, and its bridge, once there is somebody. */
export class LiveNetwork {
  readonly record: NetworkRecord
  readonly endpoints: Map<string, LiveEndpoint> = new Map()
  readonly #pools: readonly AddressPool[]
  readonly #open: (spec: NetworkSpec) => Promise<BridgeNetwork>
  #bridge: Promise<BridgeNetwork> | undefined
  #isClosed = false

  /** @param open makes bridges */
  constructor(record: NetworkRecord, open: (spec: NetworkSpec) => Promise<BridgeNetwork>) {
    this.record = record
    this.#open = open
    this.#pools = (record.ipam.Config ?? []).map((config) => new AddressPool(config))
  }

  /** The bridge, which stays until the network is closed. */
  async bridge(): Promise<BridgeNetwork> {
    this.#bridge ??= this.#open(specOf(this.record))
    try {
      return await this.#bridge
    } catch (cause) {
      this.#bridge = undefined
      throw cause
    }
  }

  /**
   * Takes the addresses of a container, before it is there.
   * @throws {TsbuildError} NOT_FOUND when the network is being removed, PERMISSION_DENIED when it is in the network or an address is taken, IO_FAILED when none is left
   */
  enter({ container, config }: EndpointRequest): LiveEndpoint {
    const { name } = this.record
    if (this.#isClosed) throw new TsbuildError(`network ${name} not found`, { code: 'NOT_FOUND' })
    if (this.endpoints.has(container.id)) {
      const message = `endpoint with name ${container.name} already exists in network ${name}`
      throw new TsbuildError(message, { code: 'PERMISSION_DENIED' })
    }
    const version4 = this.#take(config.IPAMConfig?.IPv4Address, 4)
    let version6: string | undefined
    try {
      version6 = this.#take(config.IPAMConfig?.IPv6Address, 16)
    } catch (cause) {
      this.#giveBack(version4)
      throw cause
    }
    const isBridge = this.record.driver === 'bridge'
    const hardwareAddress = config.MacAddress || (isBridge ? hardwareAddressFor(version4) : '')
    const endpoint = {
      ...{ id: newId(), container, config, version4, version6 },
      hardwareAddress: hardwareAddress.toLowerCase().replaceAll('-', ':'),
    }
    this.endpoints.set(container.id, endpoint)
    return endpoint
  }

  /** Gives them back, when it has left. */
  leave({ container, version4, version6 }: LiveEndpoint): void {
    this.endpoints.delete(container.id)
    this.#giveBack(version4)
    this.#giveBack(version6)
  }

  /** A container in it has another name. */
  rename(container: LiveEndpoint['container']): void {
    const found = this.endpoints.get(container.id)
    if (found !== undefined) this.endpoints.set(container.id, { ...found, container })
  }

  /** The length of the subnet of an address. */
  lengthOf(address: string): number {
    return this.#poolOf(address)?.prefix.length ?? 0
  }

  /** Its address in a network, by which containers leave; `undefined` where they do not. */
  gatewayOf(address: string | undefined): string | undefined {
    if (address === undefined || this.record.isInternal) return undefined
    return this.#poolOf(address)?.config.Gateway
  }

  /** What is left of the addresses of each subnet. */
  status(): Readonly<Record<string, PoolStatus>> {
    return Object.fromEntries(this.#pools.map((pool) => [pool.config.Subnet ?? '', pool.status()]))
  }

  /** Removes the bridge; nothing is in it, and nothing enters it any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    const bridge = await this.#bridge?.catch(() => undefined)
    this.#bridge = undefined
    await bridge?.[Symbol.asyncDispose]()
  }

  #take(wanted: string | undefined, size: 4 | 16): string | undefined {
    if (wanted) return this.#poolOf(wanted)?.take(wanted)
    const pool = this.#pools.find(({ prefix }) => prefix.address.length === size)
    if (pool === undefined) return undefined
    const found = pool.takeFree()
    if (found !== undefined) return found
    const { name, id } = this.record
    const version = size === 4 ? 'IPv4' : 'IPv6'
    const message = `no available ${version} addresses on this network's address pools: ${name} (${id})`
    throw new TsbuildError(message, { code: 'IO_FAILED' })
  }

  #giveBack(address: string | undefined): void {
    if (address !== undefined) this.#poolOf(address)?.giveBack(address)
  }

  #poolOf(address: string): AddressPool | undefined {
    return this.#pools.find((pool) => pool.has(address))
  }
}

/** The same for the same address: neighbours need not learn another one when a container takes the place of one. */
function hardwareAddressFor(version4: string | undefined): string {
  const bytes = version4?.split('.').map(Number) ?? [...randomBytes(4)]
  return [0x02, 0x42, ...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':')
}

function specOf(record: NetworkRecord): NetworkSpec {
  const { id, name, ipam, isInternal } = record
  const { icc, masquerade, mtu } = bridgeOptions(record)
  return {
    ...{ key: id, name },
    subnets: (ipam.Config ?? []).map(({ Subnet = '', Gateway }) => ({
      subnet: Subnet,
      gateway: Gateway,
    })),
    reach: isInternal ? 'nowhere' : 'world',
    peers: icc ? 'reached' : 'isolated',
    translation: masquerade ? 'masquerade' : 'none',
    // The default one says what docker's does, and gets what fits the host's links.
    mtu: isPredefined(record) ? undefined : mtu,
  }
}

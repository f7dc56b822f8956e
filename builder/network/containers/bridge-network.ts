import { TsbuildError } from '#core'
import { isWithin, type Prefix, parseAddress, parsePrefix } from '../links/address.ts'
import { NameTable } from '../names/name-table.ts'
import type { NetworkInput } from '../threads/network-tasks.ts'
import type { NetworkThread } from '../threads/network-thread.ts'
import type { NetworkSpec } from './network-spec.ts'

/** What a network gets of all of them. */
export interface BridgeOptions {
  readonly number: number
  /** Of networks that say none. */
  readonly mtu: number
  /** Called when it has been removed. */
  readonly onClose: () => void
}

/** A network of containers that is there; disposing of it removes it, after its containers have left. */
export class BridgeNetwork implements AsyncDisposable {
  readonly spec: NetworkSpec
  readonly names: NameTable = new NameTable()
  /** Of its bridge. */
  readonly number: number
  readonly mtu: number
  readonly #thread: NetworkThread
  readonly #onClose: () => void
  readonly #input: NetworkInput

  /** @throws {TsbuildError} USAGE for addresses that are none */
  constructor(spec: NetworkSpec, thread: NetworkThread, options: BridgeOptions) {
    this.spec = spec
    this.number = options.number
    this.mtu = spec.mtu ?? options.mtu
    this.#thread = thread
    this.#onClose = options.onClose
    const { key, reach, translation, subnets } = spec
    this.#input = {
      bridge: { number: this.number, reach, mtu: this.mtu, gateways: gatewaysOf(spec) },
      host: {
        ...{ key, translation },
        prefixes: subnets.map(({ subnet }) => prefixOf(subnet)),
        gateways: reach === 'world' ? gatewaysOf(spec).map(({ address }) => address) : [],
      },
    }
  }

  /** @throws {TsbuildError} */
  async open(): Promise<void> {
    await this.#thread.run('openBridge', this.#input)
  }

  /** An address with the length of the subnet that it is in. @throws {TsbuildError} USAGE if it is in none */
  within(text: string): Prefix {
    const address = parseAddress(text)
    const found = this.#input.host.prefixes.find((prefix) => address && isWithin(address, prefix))
    if (address === undefined || found === undefined) throw notInNetworkError(text, this.spec.name)
    return { address, length: found.length }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread.run('closeBridge', this.#input)
    this.#onClose()
  }
}

function gatewaysOf({ subnets }: NetworkSpec): readonly Prefix[] {
  return subnets.flatMap(({ subnet, gateway }) => {
    if (gateway === undefined) return []
    const address = parseAddress(gateway)
    if (address === undefined) throw notInNetworkError(gateway, subnet)
    return [{ address, length: prefixOf(subnet).length }]
  })
}

function prefixOf(subnet: string): Prefix {
  const prefix = parsePrefix(subnet)
  if (prefix === undefined) {
    throw new TsbuildError(`${subnet} is no network`, { code: 'USAGE' })
  }
  return prefix
}

function notInNetworkError(address: string, network: string): TsbuildError {
  return new TsbuildError(`${address} is no address of the network ${network}`, { code: 'USAGE' })
}

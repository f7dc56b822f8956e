import { closeSync } from 'node:fs'
import { Resources } from '#core'
import type { PortRule } from '../bridges/host-networks.ts'
import type { GatewayRoute } from '../bridges/places.ts'
import { type Address, parseAddress } from '../links/address.ts'
import { answerNames, type NameView } from '../names/answer-names.ts'
import {
  type PortBinding,
  type PortTarget,
  type PublishedPort,
  targetFor,
} from '../ports/port-binding.ts'
import { openPort, type PublishingOptions } from '../ports/publish-port.ts'
import { Resolver } from '../resolver/resolver.ts'
import type { NetworkThread } from '../threads/network-thread.ts'
import type { BridgeNetwork } from './bridge-network.ts'
import type { EndpointSpec } from './network-spec.ts'
import type { NumberPool } from './number-pool.ts'
import type { PortRemoval } from './port-removal.ts'

/** What places share. */
export interface PlaceContext extends Omit<PublishingOptions, 'target'> {
  readonly thread: NetworkThread
  /** Of the ports of bridges. */
  readonly numbers: NumberPool
  readonly removal: PortRemoval
  /** Makes sure that the router is connected to the world. */
  readonly keep: () => Promise<void>
}

/** By which networks a container reaches the world, with each version. */
export interface WaysOut {
  readonly version4: BridgeNetwork | undefined
  readonly version6: BridgeNetwork | undefined
}

/** Ports of a container, until they are disposed of. */
export interface PublishedPorts extends AsyncDisposable {
  readonly published: readonly PublishedPort[]
}

/** A container in a network. */
interface Joined {
  readonly number: number
  readonly link: number
  readonly view: NameView
  readonly name: Disposable | undefined
  readonly endpoint: EndpointSpec
}

/**
 * The network of one container: a namespace that is there before its first process and as long as this is not
 * disposed of, whatever becomes of its processes. What is said of it is done when a call returns.
 */
export class ContainerPlace implements AsyncDisposable {
  /** Descriptor of the namespace, for processes to join; it stays this object's. */
  readonly namespace: number
  readonly #context: PlaceContext
  readonly #joined = new Map<BridgeNetwork, Joined>()
  readonly #ports = new Set<PublishedPorts>()
  #routes: readonly GatewayRoute[] = []
  #nextLink = FIRST_LINK
  #nextName = 0
  #resolver: Resolver | undefined

  constructor(namespace: number, context: PlaceContext) {
    this.namespace = namespace
    this.#context = context
  }

  /** Joins a network in which it is not. @throws {TsbuildError} USAGE for addresses that are none of the network's */
  async connect(network: BridgeNetwork, endpoint: EndpointSpec): Promise<void> {
    const { thread, numbers, keep } = this.#context
    await keep()
    const { version4, version6, names, hardwareAddress, links = [] } = endpoint
    const addresses = [version4, version6].flatMap((text) => (text ? [network.within(text)] : []))
    const number = numbers.take()
    const index = this.#nextLink++
    try {
      await thread.run('joinBridge', {
        ...{ number, addresses, namespace: this.namespace },
        ...{ bridge: network.number, peers: network.spec.peers, mtu: network.mtu },
        link: {
          name: endpoint.link ?? `${endpoint.linkPrefix ?? 'eth'}${this.#nextName++}`,
          index,
        },
        hardwareAddress: Uint8Array.from(hardwareAddress.split(':'), (byte) => Number(`0x${byte}`)),
      })
    } catch (cause) {
      numbers.giveBack(number)
      throw cause
    }
    const known = new Map(links.map(([own, theirs]) => [own.toLowerCase(), theirs]))
    this.#joined.set(network, {
      ...{ number, endpoint, link: index },
      view: { network: network.spec.name, table: network.names, links: known },
      name: names.length > 0 ? network.names.add({ names, version4, version6 }) : undefined,
    })
  }

  /** Is found in a network by other names from now on. */
  rename(network: BridgeNetwork, names: readonly string[]): void {
    const joined = this.#joined.get(network)
    if (joined === undefined) return
    joined.name?.[Symbol.dispose]()
    const name = network.names.add({ ...joined.endpoint, names })
    this.#joined.set(network, { ...joined, name })
  }

  /** Leaves a network: its link is gone, with the routes over it. */
  async disconnect(network: BridgeNetwork): Promise<void> {
    const joined = this.#joined.get(network)
    if (joined === undefined) return
    this.#joined.delete(network)
    joined.name?.[Symbol.dispose]()
    this.#routes = this.#routes.filter(({ link }) => link !== joined.link)
    await this.#context.removal.remove([joined.number])
  }

  /** Leaves by these networks from now on, and by no others. */
  async routeBy(ways: WaysOut): Promise<void> {
    const routes = [...this.#routesBy(ways, 4), ...this.#routesBy(ways, 6)]
    const removed = this.#routes.filter((route) => !routes.some((other) => isSame(route, other)))
    const added = routes.filter((route) => !this.#routes.some((other) => isSame(route, other)))
    this.#routes = routes
    if (removed.length + added.length === 0) return
    const { thread } = this.#context
    await thread.run('changeRoutes', { namespace: this.namespace, removed, added })
  }

  /**
   * Answers questions at 127.0.0.11 from now on: for names of its networks by itself.
   * @param servers whom to ask for other names, for each question anew
   */
  async serveNames(servers: () => readonly string[]): Promise<void> {
    const sockets = await this.#context.thread.run('bindNames', this.namespace)
    this.#resolver = new Resolver([sockets], {
      servers,
      answerFirst: (query) =>
        answerNames(
          query,
          [...this.#joined.values()].map(({ view }) => view),
        ),
    })
  }

  /**
   * Lets the host's ports lead to those of this container, all or none.
   * @param target its addresses
   * @throws {TsbuildError} IO_FAILED in docker's words for one that is taken
   */
  async publish(bindings: readonly PortBinding[], target: PortTarget): Promise<PublishedPorts> {
    const { thread, dialer, chooser } = this.#context
    await using held = new Resources()
    const published: PublishedPort[] = []
    for (const binding of bindings) {
      const port = held.use(await openPort(binding, { dialer, chooser, target }))
      published.push(...port.published)
    }
    const rules = published.flatMap((port) => ruleFor(port, target))
    const [first] = rules
    if (first !== undefined) {
      // Nobody else has it.
      const key = `port ${first.protocol} ${first.hostAddress} ${first.hostPort}`
      const input = { key, ports: rules }
      await thread.run('openPorts', input)
      held.use({ [Symbol.asyncDispose]: () => thread.run('closePorts', input) })
    }
    const moved = held.move()
    const ports = {
      published,
      [Symbol.asyncDispose]: async () => {
        this.#ports.delete(ports)
        await moved[Symbol.asyncDispose]()
      },
    }
    this.#ports.add(ports)
    return ports
  }

  /** Ends it all. The namespace goes with its last process. */
  async [Symbol.asyncDispose](): Promise<void> {
    await using held = new Resources()
    held.use({ [Symbol.dispose]: () => closeSync(this.namespace) })
    const joined = [...this.#joined.values()]
    this.#joined.clear()
    const numbers = joined.map(({ number }) => number)
    held.use({ [Symbol.asyncDispose]: () => this.#context.removal.remove(numbers) })
    for (const { name } of joined) if (name !== undefined) held.use(name)
    if (this.#resolver !== undefined) held.use(this.#resolver)
    for (const ports of this.#ports) held.use(ports)
  }

  /** A network without an address, or one in which this has none, is no way. */
  #routesBy(ways: WaysOut, version: 4 | 6): readonly GatewayRoute[] {
    const network = version === 6 ? ways.version6 : ways.version4
    const joined = network && this.#joined.get(network)
    if (network === undefined || joined === undefined) return []
    const { version4, version6 } = joined.endpoint
    const gateway = network.spec.subnets
      .map((subnet) => parseAddress(subnet.gateway ?? ''))
      .find((address) => address?.length === (version === 6 ? 16 : 4))
    const isThere = (version === 6 ? version6 : version4) !== undefined
    return isThere && gateway !== undefined ? [{ link: joined.link, gateway }] : []
  }
}

/** Only packets that stay in their version can be sent on by a rule; a connection from loopback cannot at all. */
function ruleFor(
  { protocol, port, hostAddress, hostPort }: PublishedPort,
  target: PortTarget,
): readonly PortRule[] {
  const address = targetFor(hostAddress, target)
  const isLoopback = hostAddress.startsWith('127.') || hostAddress === '::1'
  if (isLoopback || address?.includes(':') !== hostAddress.includes(':')) return []
  return [{ protocol, hostAddress, hostPort, address, port }]
}

function isSame(one: GatewayRoute, other: GatewayRoute): boolean {
  return one.link === other.link && bytesOf(one.gateway) === bytesOf(other.gateway)
}

function bytesOf(address: Address): string {
  return address.join('.')
}

/** Index of the first link besides loopback. */
const FIRST_LINK = 2

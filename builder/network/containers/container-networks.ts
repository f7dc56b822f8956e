import { createSocket } from 'node:dgram'
import { isIPv6, Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isUserNamespace } from '#builder/linux'
import { errnoOf, Resources, TsbuildError } from '#core'
import { parseAddress } from '../links/address.ts'
import type { Dialer } from '../ports/dial.ts'
import { PortChooser } from '../ports/port-range.ts'
import { type NetworkThread, startNetworkThread } from '../threads/network-thread.ts'
import { missingUplinkError, openUplink, type Uplink } from '../uplink/uplink.ts'
import { planUplink, UPLINK_MTU } from '../uplink/uplink-router.ts'
import { BridgeNetwork } from './bridge-network.ts'
import { ContainerPlace, type PlaceContext } from './container-place.ts'
import type { NetworkSpec } from './network-spec.ts'
import { NumberPool } from './number-pool.ts'
import { PortRemoval } from './port-removal.ts'

/**
 * Milliseconds between looks at what an engine that lasts cannot rely on: links of the host and rules of others, or
 * that the program runs.
 */
const INTERVALS = { hub: 5000, uplink: 500 } as const

/** What joins containers to the world. */
type Way = { readonly kind: 'hub' } | { readonly kind: 'uplink'; readonly uplink: Uplink }

/**
 * The networks of an engine's containers: a hub in a thread of its own. Disposing of it releases all that is left of
 * them.
 */
export class ContainerNetworks implements AsyncDisposable {
  /** What joins them to the world: the kernel, or a program of an ordinary user. */
  readonly way: Way['kind']
  readonly #thread: NetworkThread
  readonly #mtu: number
  readonly #held: Resources
  readonly #context: PlaceContext
  readonly #bridges = new NumberPool()

  private constructor(thread: NetworkThread, opened: Opened, held: Resources) {
    this.#thread = thread
    this.#held = held
    this.#mtu = opened.mtu
    this.way = opened.way.kind
    const { way } = opened
    const numbers = new NumberPool()
    const look = (): Promise<void> =>
      way.kind === 'uplink' ? way.uplink.keep() : thread.run('refresh', undefined)
    let isLooking = false
    const timer = setInterval(async () => {
      // The host may hold a look up for longer than the next one takes to come.
      if (numbers.isEmpty || isLooking) return
      isLooking = true
      // What fails now is tried again.
      await look().catch(() => undefined)
      isLooking = false
    }, INTERVALS[way.kind])
    timer.unref()
    held.use({ [Symbol.dispose]: () => clearInterval(timer) })
    this.#context = {
      ...{ thread, numbers, removal: new PortRemoval(thread, numbers) },
      dialer: dialerOf(thread),
      chooser: new PortChooser(),
      keep: async () => {
        // The first one may come long after the last look.
        if (way.kind === 'uplink' || numbers.isEmpty) await look()
      },
    }
  }

  /** Opens a hub, or for ordinary users what takes its place. @throws {TsbuildError} SANDBOX_UNAVAILABLE */
  static async open(): Promise<ContainerNetworks> {
    await using held = new Resources()
    const thread = await startNetworkThread()
    held.use({ [Symbol.asyncDispose]: () => thread.close() })
    const opened = await openWay(thread, held)
    return new ContainerNetworks(thread, opened, held.move())
  }

  /** Makes a network, which no container is in. */
  async openNetwork(spec: NetworkSpec): Promise<BridgeNetwork> {
    const number = this.#bridges.take()
    const network = new BridgeNetwork(spec, this.#thread, {
      ...{ number, mtu: this.#mtu },
      onClose: () => this.#bridges.giveBack(number),
    })
    await network.open()
    return network
  }

  /** Makes the network of a container, in which there is loopback only. */
  async makePlace(): Promise<ContainerPlace> {
    return new ContainerPlace(await this.#thread.run('makePlace', undefined), this.#context)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held[Symbol.asyncDispose]()
  }
}

interface Opened {
  readonly way: Way
  readonly mtu: number
}

/** @param held gets what is to be released */
async function openWay(thread: NetworkThread, held: Resources): Promise<Opened> {
  try {
    return { way: { kind: 'hub' }, ...(await thread.run('openHub', undefined)) }
  } catch (cause) {
    if (!isRefusal(cause)) throw cause
    const missing = missingUplinkError()
    if (missing !== undefined) throw isUserNamespace() ? missing : bothMissing(cause, missing)
  }
  const host = hostAddresses().flatMap((text) => parseAddress(text) ?? [])
  const containers = { translation: 'hub', host } as const
  const place = await thread.run('openRouter', { ...planUplink(), containers })
  const uplink = held.use(await openUplink(place))
  return { way: { kind: 'uplink', uplink }, mtu: UPLINK_MTU }
}

/** Whether the kernel does not let this process do what a hub needs. */
function isRefusal(cause: unknown): cause is Error {
  return cause instanceof TsbuildError
    ? cause.code === 'SANDBOX_UNAVAILABLE'
    : errnoOf(cause) !== undefined
}

function bothMissing(hub: Error, { message, code, hint }: TsbuildError): TsbuildError {
  return new TsbuildError(`open a hub: ${hub.message}; and ${message}`, { code, hint, cause: hub })
}

/** The address by which a program reaches services of the host: one of a link to others, of version 4. */
function hostAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const found = all.find(({ internal, family }) => !internal && family === 'IPv4')
  return found === undefined ? [] : [found.address]
}

function dialerOf(thread: NetworkThread): Dialer {
  return {
    connect: async (target) =>
      new Socket({
        fd: await thread.run('connectTo', target),
        ...{ readable: true, writable: true, allowHalfOpen: true },
      }),
    openUdp: async ({ address }) => {
      const isVersion6 = isIPv6(address)
      const descriptor = await thread.run('bindUdp', isVersion6 ? '::' : '0.0.0.0')
      const socket = createSocket(isVersion6 ? 'udp6' : 'udp4')
      socket.bind({ fd: descriptor })
      return socket
    },
  }
}

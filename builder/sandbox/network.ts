import { Buffer } from 'node:buffer'
import { accessSync, closeSync, constants, existsSync, readSync } from 'node:fs'
import {
  closeDescriptorsOnExec,
  hasExited,
  makePipe,
  openNamespaces,
  raiseLoopback,
  spawnProcess,
  unshareNamespaces,
  waitForExit,
} from '#builder/linux'
import { TsbuildError } from '#core'

/** Where a step's network comes from, after `default` has been decided. */
export type NetworkKind = 'none' | 'host' | 'own'

const TUNNELS = '/dev/net/tun'

const PROGRAMS: readonly string[] = [
  '/usr/bin/slirp4netns',
  '/usr/local/bin/slirp4netns',
  '/bin/slirp4netns',
]

/** The DNS server that slirp4netns shows inside; it asks those of the host. */
export const OWN_NETWORK_DNS = '10.0.2.3'

/** The program that connects a network namespace to the world, where it is there and can work. */
export function findNetworkProgram(): string | undefined {
  return canOpenTunnels() ? PROGRAMS.find((path) => existsSync(path)) : undefined
}

/** Some hosts keep the device to root, and then a user has the host's network or none. */
function canOpenTunnels(): boolean {
  try {
    accessSync(TUNNELS, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** A network namespace of its own that reaches the world, but not the host's loopback. */
export interface StepNetwork {
  readonly id: number
  /** Descriptor of the namespace. */
  readonly namespace: number
  readonly helper: number
  /** The helper ends when this descriptor is closed, also because the builder died. */
  readonly control: number
}

/**
 * Networks, each used by one step at a time: a step finds no port of another one in use, and the next
 * step need not wait for a new helper.
 */
export class NetworkPool {
  readonly #program: string
  readonly #idle: StepNetwork[] = []
  readonly #busy = new Map<number, StepNetwork>()
  #nextId = 1

  constructor(program: string) {
    this.#program = program
  }

  /** The calling thread may be in the new network afterwards. */
  take(): StepNetwork {
    const network = this.#takeIdle() ?? this.#make()
    this.#busy.set(network.id, network)
    return network
  }

  giveBack(id: number): void {
    const network = this.#busy.get(id)
    if (network === undefined) return
    this.#busy.delete(id)
    this.#idle.push(network)
  }

  close(): void {
    const all = [...this.#idle, ...this.#busy.values()]
    for (const network of all) closeNetwork(network)
    for (const network of all) waitForExit(network.helper)
  }

  #takeIdle(): StepNetwork | undefined {
    for (let network = this.#idle.pop(); network !== undefined; network = this.#idle.pop()) {
      if (!hasExited(network.helper)) return network
      closeNetwork(network)
    }
    return undefined
  }

  #make(): StepNetwork {
    unshareNamespaces(['net'])
    raiseLoopback()
    const namespace = openNamespaces(['net']).net ?? -1
    const control = makePipe()
    const ready = makePipe()
    try {
      const helper = startHelper(this.#program, {
        namespace,
        control: control.readEnd,
        ready: ready.writeEnd,
      })
      closeSync(ready.writeEnd)
      if (readSync(ready.readEnd, Buffer.alloc(1)) === 1) {
        return { id: this.#nextId++, namespace, helper, control: control.writeEnd }
      }
      waitForExit(helper)
    } finally {
      closeSync(control.readEnd)
      closeSync(ready.readEnd)
    }
    closeSync(control.writeEnd)
    closeSync(namespace)
    throw new TsbuildError(`${this.#program} could not set up a network for the step`, {
      code: 'SANDBOX_UNAVAILABLE',
      hint: 'steps need /dev/net/tun for a network of their own; --network=host does without',
    })
  }
}

interface HelperDescriptors {
  readonly namespace: number
  readonly control: number
  readonly ready: number
}

function startHelper(program: string, descriptors: HelperDescriptors): number {
  const { namespace, control, ready } = descriptors
  closeDescriptorsOnExec()
  return spawnProcess({
    program,
    args: [
      program,
      '--configure',
      '--mtu=65520',
      '--disable-host-loopback',
      '--enable-sandbox',
      `--exit-fd=${control}`,
      `--ready-fd=${ready}`,
      '--netns-type=path',
      `/proc/self/fd/${namespace}`,
      'tap0',
    ],
    env: [],
    inherit: [namespace, control, ready],
  })
}

function closeNetwork(network: StepNetwork): void {
  closeSync(network.control)
  closeSync(network.namespace)
}

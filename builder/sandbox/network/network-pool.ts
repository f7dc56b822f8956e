import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, closeSync, constants, existsSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { TsbuildError } from '#core'
import type { ProcessSpec } from '../spec/sandbox.ts'

/** Where a step's network comes from, after `default` has been decided. */
export type NetworkKind = 'none' | 'host' | 'own'

/** Without a program that connects it, a step's own network would reach nothing. */
export function networkKindOf(network: ProcessSpec['network']): NetworkKind {
  if (network !== 'default') return network
  return findNetworkProgram() === undefined ? 'host' : 'own'
}

/**
 * The program that connects a network namespace to the world without any rights; `undefined` also
 * where it would not work, because this user may not make tunnels.
 */
export function findNetworkProgram(): string | undefined {
  return isUsable(TUNNELS) ? PROGRAMS.find((path) => existsSync(path)) : undefined
}

function isUsable(device: string): boolean {
  try {
    accessSync(device, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

const TUNNELS = '/dev/net/tun'

const PROGRAMS: readonly string[] = [
  '/usr/bin/slirp4netns',
  '/usr/local/bin/slirp4netns',
  '/bin/slirp4netns',
]

/** The DNS server that slirp4netns shows inside; it asks those of the host. */
export const OWN_NETWORK_DNS = '10.0.2.3'

/** A network namespace of its own that reaches the world, but not the host's loopback. */
export interface StepNetwork {
  /** Descriptor of the namespace. */
  readonly namespace: number
  /** Ends by itself when the builder is gone, since a pipe to it closes. */
  readonly helper: ChildProcess
}

/**
 * Networks, each used by one step at a time: a step finds no port of another one in use, and the next
 * step need not wait for a new helper.
 */
export class NetworkPool {
  readonly #makeNamespace: () => Promise<number>
  readonly #idle: StepNetwork[] = []
  readonly #all = new Set<StepNetwork>()

  /** @param makeNamespace gives the descriptor of a new network namespace */
  constructor(makeNamespace: () => Promise<number>) {
    this.#makeNamespace = makeNamespace
  }

  /** @throws {TsbuildError} SANDBOX_UNAVAILABLE */
  async take(): Promise<StepNetwork> {
    for (let network = this.#idle.pop(); network !== undefined; network = this.#idle.pop()) {
      if (isAlive(network.helper)) return network
      this.#drop(network)
    }
    const namespace = await this.#makeNamespace()
    try {
      const network = { namespace, helper: await startHelper(namespace) }
      this.#all.add(network)
      return network
    } catch (cause) {
      closeSync(namespace)
      throw cause
    }
  }

  giveBack(network: StepNetwork): void {
    this.#idle.push(network)
  }

  async close(): Promise<void> {
    const helpers = [...this.#all].map((network) => network.helper)
    for (const network of this.#all) this.#drop(network)
    await Promise.all(helpers.filter(isAlive).map((helper) => once(helper, 'exit')))
  }

  #drop(network: StepNetwork): void {
    this.#all.delete(network)
    network.helper.ref()
    network.helper.kill('SIGKILL')
    closeSync(network.namespace)
  }
}

function isAlive(helper: ChildProcess): boolean {
  return helper.exitCode === null && helper.signalCode === null
}

/** Numbers of the descriptors that the helper gets. */
const LIFELINE = 3
const READY = 4
const NAMESPACE = 5

/** Starts the program on the host's side and waits until the network works. */
async function startHelper(namespace: number): Promise<ChildProcess> {
  const program = findNetworkProgram() ?? 'slirp4netns'
  const args = [
    '--configure',
    '--mtu=65520',
    '--disable-host-loopback',
    '--enable-sandbox',
    `--exit-fd=${LIFELINE}`,
    `--ready-fd=${READY}`,
    '--netns-type=path',
    `/proc/self/fd/${NAMESPACE}`,
    'tap0',
  ]
  const stdio = ['ignore', 'ignore', 'ignore', 'pipe', 'pipe', namespace] as const
  const helper = spawn(program, args, { cwd: '/', env: {}, detached: true, stdio: [...stdio] })
  helper.on('error', () => {})
  const ready = helper.stdio[READY] as Readable
  const bytes = await ready.take(1).toArray()
  if (bytes.length === 0) {
    helper.kill('SIGKILL')
    throw new TsbuildError(`${program} could not set up a network for the step`, {
      code: 'SANDBOX_UNAVAILABLE',
      hint: 'steps with --network=host do without it',
    })
  }
  ready.destroy()
  // An idle network must not keep the builder from ending.
  helper.unref()
  const lifeline = helper.stdio[LIFELINE]
  if (lifeline instanceof Socket) lifeline.unref()
  return helper
}

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { startHelper } from './network-program.ts'

/** A network namespace of its own that reaches the world, but not the host's loopback. */
export interface StepNetwork {
  /** Descriptor of the namespace. */
  readonly namespace: number
  /** The program that connects it. */
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

  /** A network for one step at a time, until it is given back. @throws {TsbuildError} SANDBOX_UNAVAILABLE */
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

  /** Returns a network that a step has used. */
  giveBack(network: StepNetwork): void {
    this.#idle.push(network)
  }

  /** Ends the helpers, and waits for that. */
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

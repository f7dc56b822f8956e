import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import type { NetworkSource, StepNetwork } from '#builder/network'
import { OWN_NETWORK_DNS, startHelper } from './network-program.ts'

/** A network with the program that connects it. */
interface Connected {
  readonly network: StepNetwork
  readonly helper: ChildProcess
}

/**
 * Networks, each used by one step at a time: a step finds no port of another one in use, and the next
 * step need not wait for a new helper.
 */
export class NetworkPool implements NetworkSource {
  readonly #makeNamespace: () => Promise<number>
  readonly #idle: Connected[] = []
  readonly #all = new Map<StepNetwork, Connected>()

  /** @param makeNamespace gives the descriptor of a new network namespace */
  constructor(makeNamespace: () => Promise<number>) {
    this.#makeNamespace = makeNamespace
  }

  /** A network for one step at a time, until it is given back. @throws {TsbuildError} SANDBOX_UNAVAILABLE */
  async take(): Promise<StepNetwork> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (isAlive(idle.helper)) return idle.network
      this.#drop(idle)
    }
    const namespace = await this.#makeNamespace()
    try {
      const network = { namespace, nameservers: [OWN_NETWORK_DNS] }
      this.#all.set(network, { network, helper: await startHelper(namespace) })
      return network
    } catch (cause) {
      closeSync(namespace)
      throw cause
    }
  }

  async upcoming(current: StepNetwork): Promise<StepNetwork> {
    return current
  }

  giveBack(network: StepNetwork): void {
    const connected = this.#all.get(network)
    if (connected !== undefined) this.#idle.push(connected)
  }

  /** Ends the helpers, and waits for that. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#all.values()]
    const helpers = all.map(({ helper }) => helper)
    for (const connected of all) this.#drop(connected)
    await Promise.all(helpers.filter(isAlive).map((helper) => once(helper, 'exit')))
  }

  #drop({ network, helper }: Connected): void {
    this.#all.delete(network)
    helper.ref()
    helper.kill('SIGKILL')
    closeSync(network.namespace)
  }
}

function isAlive(helper: ChildProcess): boolean {
  return helper.exitCode === null && helper.signalCode === null
}

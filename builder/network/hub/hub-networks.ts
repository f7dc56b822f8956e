import { closeSync } from 'node:fs'
import type { NetworkSource, StepNetwork } from '../network.ts'
import { STEPS } from './hub-addresses.ts'

/** Makes networks on the thread that has the hub. */
export type MakeNetwork = (number: number) => Promise<StepNetwork>

/**
 * The networks of a hub. Each is for one step, and gone with it: what a step left in it, no other one finds.
 * One is made while the step before runs.
 */
export class HubNetworks implements NetworkSource {
  readonly #make: MakeNetwork
  readonly #held: AsyncDisposable
  readonly #numbers = new Map<StepNetwork, number>()
  readonly #used = new Set<number>()
  #last = -1
  #ready: Promise<StepNetwork> | undefined

  /** @param make the hub outlasts this. @param held what is released with the networks */
  constructor(make: MakeNetwork, held: AsyncDisposable) {
    this.#make = make
    this.#held = held
  }

  async take(): Promise<StepNetwork> {
    const ready = this.#ready ?? this.#makeOne()
    this.#ready = undefined
    return await ready
  }

  upcoming(): Promise<StepNetwork> {
    this.#ready ??= this.#makeOne()
    // A failure is reported by the step that takes it.
    this.#ready.catch(() => undefined)
    return this.#ready
  }

  giveBack(network: StepNetwork): void {
    closeSync(network.namespace)
    this.#used.delete(this.#numbers.get(network) ?? -1)
    this.#numbers.delete(network)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ready = await this.#ready?.catch(() => undefined)
    this.#ready = undefined
    if (ready !== undefined) this.giveBack(ready)
    await this.#held[Symbol.asyncDispose]()
  }

  async #makeOne(): Promise<StepNetwork> {
    const number = this.#freeNumber()
    this.#used.add(number)
    try {
      const network = await this.#make(number)
      this.#numbers.set(network, number)
      return network
    } catch (cause) {
      this.#used.delete(number)
      throw cause
    }
  }

  /** The kernel removes the links of a network some time after it: so all others come first. */
  #freeNumber(): number {
    do this.#last = (this.#last + 1) % STEPS
    while (this.#used.has(this.#last) && this.#used.size < STEPS)
    return this.#last
  }
}

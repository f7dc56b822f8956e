import type { NetworkThread } from '../threads/network-thread.ts'
import type { NumberPool } from './number-pool.ts'

/** Takes places out of bridges: all that are to leave while others do, at once. */
export class PortRemoval {
  readonly #thread: NetworkThread
  readonly #numbers: NumberPool
  #waiting: number[] = []
  #last: Promise<void> = Promise.resolve()

  constructor(thread: NetworkThread, numbers: NumberPool) {
    this.#thread = thread
    this.#numbers = numbers
  }

  /** @returns when the links of these ports are gone */
  async remove(numbers: readonly number[]): Promise<void> {
    if (numbers.length === 0) return
    this.#waiting.push(...numbers)
    const batch = this.#waiting
    if (batch.length === numbers.length)
      this.#last = this.#last.catch(() => undefined).then(() => this.#take(batch))
    await this.#last
  }

  async #take(batch: readonly number[]): Promise<void> {
    this.#waiting = []
    await this.#thread.run('leaveBridges', batch)
    for (const number of batch) this.#numbers.giveBack(number)
  }
}

import { setImmediate } from 'node:timers/promises'

/**
 * Turns of the event loop, one for each of those who ask. Of a hundred that begin at once, each does some milliseconds of
 * work before it waits for anything: in one turn, everything else would wait for all of it.
 */
export class OwnTurns {
  #last: Promise<void> = Promise.resolve()

  /** In the order in which they are asked for. */
  take(): Promise<void> {
    this.#last = this.#last.then(() => setImmediate())
    return this.#last
  }
}

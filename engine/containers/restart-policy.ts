import { setTimeout as delay } from 'node:timers/promises'
import type { RestartPolicy } from '#engine/model'

/** Milliseconds. */
const FIRST_PAUSE = 100
const LONGEST_PAUSE = 60_000
/** What ran for so long starts with the shortest pause again. */
const SETTLED = 10_000

/** When a container that has ended is started again: after pauses that double, up to a minute. */
export class Restarts {
  #pause = FIRST_PAUSE
  #waiting: AbortController | undefined

  /**
   * Whether it is to be started again.
   * @param count how often it was already
   */
  isDue(
    { Name = 'no', MaximumRetryCount = 0 }: RestartPolicy,
    { exitCode, count }: { readonly exitCode: number; readonly count: number },
  ): boolean {
    switch (Name) {
      case 'always':
      case 'unless-stopped':
        return true
      case 'on-failure':
        return exitCode !== 0 && (MaximumRetryCount === 0 || count < MaximumRetryCount)
      default:
        return false
    }
  }

  /** @param ran milliseconds. @returns whether the time came, and it was not cancelled before */
  async wait(ran: number): Promise<boolean> {
    if (ran >= SETTLED) this.#pause = FIRST_PAUSE
    const pause = this.#pause
    this.#pause = Math.min(2 * pause, LONGEST_PAUSE)
    this.#waiting = new AbortController()
    const { signal } = this.#waiting
    try {
      await delay(pause, undefined, { signal })
      return true
    } catch {
      return false
    } finally {
      this.#waiting = undefined
    }
  }

  cancel(): void {
    this.#waiting?.abort()
    this.#pause = FIRST_PAUSE
  }
}

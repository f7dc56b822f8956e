import { TsbuildError, throwIfCancelled } from '#core'

/** One that waits for its turn. */
interface Waiter {
  readonly stack: readonly string[]
  readonly begin: () => void
}

/**
 * Gives the one root to one step at a time: first to a step whose stack goes on from what the root shows,
 * so that the least has to be placed, else to the one that has waited longest.
 */
export class Turns {
  readonly #waiting: Waiter[] = []
  #isTaken = false

  /**
   * Waits until the root is free.
   * @param stack names of layers, topmost first
   * @throws {TsbuildError} CANCELLED
   */
  async take(stack: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    throwIfCancelled(signal, 'wait for the root')
    if (!this.#isTaken) {
      this.#isTaken = true
      return
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(new TsbuildError('wait for the root: cancelled', { code: 'CANCELLED' }))
      }
      const begin = (): void => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const waiter = { stack, begin }
      this.#waiting.push(waiter)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  /** Ends a turn. @param shown the stack that the root shows; `undefined` when that is unknown */
  giveBack(shown: readonly string[] | undefined): void {
    const going = this.#waiting.findIndex(({ stack }) => {
      return shown !== undefined && extendsStack(stack, shown)
    })
    const [next] = this.#waiting.splice(Math.max(going, 0), 1)
    this.#isTaken = next !== undefined
    next?.begin()
  }
}

/** Whether `stack` is `shown` with more layers on top, or none. */
function extendsStack(stack: readonly string[], shown: readonly string[]): boolean {
  const start = stack.length - shown.length
  return start >= 0 && shown.every((layer, index) => stack[start + index] === layer)
}

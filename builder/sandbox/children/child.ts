import { type ProcessEnd, waitForExit } from '#builder/linux'
import { TsbuildError } from '#core'
import { childEnd, forgetChild } from './child-watch.ts'
import { sendSignal } from './shared-child.ts'

/**
 * A child of this process that one thread signals and releases, usually the main thread, whichever
 * thread has started it. No thread blocks while it runs. Of its pid nothing else may take care.
 */
export class Child {
  readonly pid: number
  /**
   * How it ended, once its pid is released. Rejections reach only those who await it.
   * @throws {TsbuildError} PEER_GONE when other code of this process has released the pid
   */
  readonly end: Promise<ProcessEnd>
  #isReleased = false

  /** @param beforeRelease what has to be done while its pid is still taken */
  constructor(pid: number, beforeRelease?: () => Promise<unknown>) {
    this.pid = pid
    this.end = this.#awaitEnd(beforeRelease)
    this.end.catch(() => undefined)
  }

  /** Sends a signal; a no-op once its pid is released, since that may be another process's then. */
  signal(signal: NodeJS.Signals | number): void {
    if (!this.#isReleased) sendSignal(this.pid, signal)
  }

  /** Ends it, and releases its pid. */
  kill(): Promise<ProcessEnd> {
    this.signal('SIGKILL')
    return this.end
  }

  /** Kills it without waiting for its end: `end` rejects. */
  abandon(): void {
    this.signal('SIGKILL')
    forgetChild(this.pid)
  }

  async #awaitEnd(beforeRelease?: () => Promise<unknown>): Promise<ProcessEnd> {
    try {
      await childEnd(this.pid)
      await beforeRelease?.()
      return waitForExit(this.pid)
    } catch (cause) {
      throw stolenError(this.pid, cause)
    } finally {
      this.#isReleased = true
    }
  }
}

function stolenError(pid: number, cause: unknown): TsbuildError {
  return new TsbuildError(`how process ${pid} has ended is lost`, {
    code: 'PEER_GONE',
    hint: 'tsbuild awaits the processes that it starts: nothing else in this program may call wait(-1)',
    cause,
  })
}

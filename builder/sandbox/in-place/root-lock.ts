import { closeSync, constants, openSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { lockFile } from '#builder/linux'
import { throwIfCancelled } from '#core'

/** How the root is waited for. */
export interface RootLockOptions {
  readonly signal: AbortSignal | undefined
  /** Called once when another build has it. */
  readonly onWait: (ended: Promise<void>) => void
}

const DOING = 'wait for another build in this container'
const POLL_MILLISECONDS = 50

/**
 * Waits for the root of this container, which one build may have at a time, in whatever process. What is
 * locked is the directory itself: no step can replace it, and no two processes see another one. The kernel
 * gives it back when the process ends, however it ends.
 * @throws {TsbuildError} CANCELLED
 */
export async function lockRoot({ signal, onWait }: RootLockOptions): Promise<Disposable> {
  throwIfCancelled(signal, DOING)
  const descriptor = openSync('/', constants.O_RDONLY | constants.O_DIRECTORY)
  const lock = { [Symbol.dispose]: () => closeSync(descriptor) }
  if (lockFile(descriptor)) return lock
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // A rejection reaches the caller.
  promise.catch(() => undefined)
  onWait(promise)
  try {
    do {
      await setTimeout(POLL_MILLISECONDS)
      throwIfCancelled(signal, DOING)
    } while (!lockFile(descriptor))
    resolve()
    return lock
  } catch (cause) {
    reject(cause)
    lock[Symbol.dispose]()
    throw cause
  }
}

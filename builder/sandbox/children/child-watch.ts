import { isMainThread } from 'node:worker_threads'
import { hasEnded } from '#builder/linux'

/**
 * Milliseconds between looks without a signal. In a worker thread there are no signals. On the main
 * thread this is for a program that has removed all listeners of SIGCHLD.
 */
const PAUSE = isMainThread ? 1000 : 10

const watched = new Map<number, PromiseWithResolvers<void>>()
let timer: NodeJS.Timeout | undefined

/**
 * Resolves when a child of this process has ended, whichever thread has started it; its pid stays taken.
 * Nothing blocks meanwhile, and the process is kept running. Other children of it are not concerned.
 * @throws {SystemError} ECHILD when the pid was released by other code
 */
export function childEnd(pid: number): Promise<void> {
  const ended = Promise.withResolvers<void>()
  watched.set(pid, ended)
  if (timer === undefined) {
    timer = setInterval(look, PAUSE)
    process.on('SIGCHLD', look)
  }
  // It may have ended before.
  look()
  return ended.promise
}

/** Waits no longer for a child: its `childEnd` rejects. */
export function forgetChild(pid: number): void {
  watched.get(pid)?.reject(new Error('its end is not waited for'))
  watched.delete(pid)
  stopIfIdle()
}

/** One signal may stand for many children. */
function look(): void {
  for (const [pid, ended] of watched) {
    try {
      if (!hasEnded(pid)) continue
      ended.resolve()
    } catch (cause) {
      ended.reject(cause)
    }
    watched.delete(pid)
  }
  stopIfIdle()
}

function stopIfIdle(): void {
  if (watched.size > 0) return
  clearInterval(timer)
  timer = undefined
  process.off('SIGCHLD', look)
}

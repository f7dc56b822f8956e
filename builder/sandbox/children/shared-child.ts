import { type ProcessEnd, waitForExit } from '#builder/linux'
import { errnoOf } from '#core'

/**
 * A child process of the builder that other threads signal than the one that waits for it. Data: it can
 * be posted to a thread. The kernel gives the pid to another process once it is released, which must not
 * happen between the decision to send a signal and the system call. (Older kernels have no pidfd.)
 */
export interface SharedChild {
  /** As the host numbers it. */
  readonly pid: number
  /** One of the states below, in shared memory. */
  readonly pidState: Int32Array<SharedArrayBuffer>
}

const TAKEN = 0
const SIGNALLING = 1
const RELEASED = 2

/** A child that was started, whose pid is released only after `endSignals` from now on. */
export function shareChild(pid: number): SharedChild {
  return { pid, pidState: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) }
}

/**
 * Sends a signal; a no-op once the process has ended. For one thread only, another one than calls
 * `endSignals`.
 * @param send for processes that may belong to others
 */
export function signalChild(
  { pid, pidState }: SharedChild,
  signal: NodeJS.Signals | number,
  send: typeof sendSignal = sendSignal,
): void {
  if (Atomics.compareExchange(pidState, 0, TAKEN, SIGNALLING) !== TAKEN) return
  try {
    send(pid, signal)
  } finally {
    Atomics.store(pidState, 0, TAKEN)
    Atomics.notify(pidState, 0)
  }
}

/** No signal is sent from now on; to be called before the pid is released. */
export function endSignals({ pidState }: SharedChild): void {
  while (Atomics.compareExchange(pidState, 0, TAKEN, RELEASED) === SIGNALLING) {
    Atomics.wait(pidState, 0, SIGNALLING)
  }
}

/**
 * Kills a child that no other thread has, and releases its pid: one that is not waited for keeps its
 * namespace from ending. Blocks the calling thread.
 */
export function killAndWait(pid: number): ProcessEnd {
  sendSignal(pid, 'SIGKILL')
  return waitForExit(pid)
}

/** Sends a signal to a process that may have ended already. */
export function sendSignal(pid: number, signal: NodeJS.Signals | number): void {
  try {
    process.kill(pid, signal)
  } catch (cause) {
    if (errnoOf(cause) !== 'ESRCH') throw cause
  }
}

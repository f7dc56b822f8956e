import { closeSync } from 'node:fs'
import { Child } from '../children/child.ts'
import { killAndWait } from '../children/shared-child.ts'

/**
 * The first process of a pid namespace: pid 1, a child of this process. Its end is that of all processes
 * in the namespace.
 */
export interface FirstProcess {
  /** As the host numbers it. */
  readonly pid: number
  /** Descriptor of its pid namespace. */
  readonly namespace: number
  /** Descriptor of a pipe: pid 1 ends when it is closed, and so when the builder dies. */
  readonly control: number
  /** It is an init that passes signals on, and gets the pid of the program by the control pipe. */
  readonly forwards?: boolean
  /** Where pid 1 waits to become the program; absent: it is an init. */
  readonly gate?: Gate
}

/** A first process that may not be ready yet. Disposing stops waiting for that; the process stays. */
export interface StartedFirst extends Disposable {
  readonly first: FirstProcess
  /** Blocks until it has given up its rights. @throws {TsbuildError} SANDBOX_UNAVAILABLE */
  readonly awaitReady: () => void
}

/** How a pid 1 that waits is reached and watched. */
export interface Gate {
  /** Descriptor of a socket to it. */
  readonly entrance: number
  /** The pid of the process that kills pid 1 when the control pipe is closed. */
  readonly guardian: number
}

/**
 * Takes pid 1 over from the thread that has started it. A guardian ends before the pid is released: it
 * kills by pid.
 */
export function adoptFirst({ pid, gate }: FirstProcess): Child {
  if (gate === undefined) return new Child(pid)
  const guardian = new Child(gate.guardian)
  return new Child(pid, () => guardian.kill())
}

/** Closes the descriptors for pid 1. */
export function closeFirst({ control, gate }: FirstProcess): void {
  if (gate !== undefined) closeSync(gate.entrance)
  closeSync(control)
}

/** Ends a pid 1 that nothing has taken over, with all that belongs to it. Blocks the calling thread. */
export function endFirst(first: FirstProcess): void {
  closeSync(first.namespace)
  closeFirst(first)
  if (first.gate !== undefined) killAndWait(first.gate.guardian)
  killAndWait(first.pid)
}

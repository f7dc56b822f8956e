import { closeSync } from 'node:fs'
import type { ProcessEnd } from '#builder/linux'
import { killAndReap, killAndWait, type SharedChild } from './shared-child.ts'

/**
 * The first process of a pid namespace: pid 1, a child of this process. Its end is that of all processes
 * in the namespace.
 */
export interface FirstProcess extends SharedChild {
  /** Descriptor of its pid namespace. */
  readonly namespace: number
  /** Descriptor of a pipe: pid 1 ends when it is closed, and so when the builder dies. */
  readonly control: number
  /** Where pid 1 waits to become the program; absent: it is an init. */
  readonly gate?: Gate
}

/** How a pid 1 that waits is reached and watched. */
export interface Gate {
  /** Descriptor of a socket to it. */
  readonly entrance: number
  /** The pid of the process that kills pid 1 when the control pipe is closed. */
  readonly guardian: number
}

/** Ends an init, or releases what belongs to a pid 1 that `endGate` has ended. */
export function releaseFirst(first: FirstProcess): void {
  const { control, gate } = first
  if (gate !== undefined) closeSync(gate.entrance)
  closeSync(control)
  if (gate === undefined) killAndReap(first)
}

/**
 * Ends a pid 1 that is not an init, which may have ended already. Its guardian ends first: it kills by
 * pid, and the pid is another process's once it is released.
 */
export function endGate(first: SharedChild, { guardian }: Gate): ProcessEnd {
  killAndWait(guardian)
  return killAndReap(first)
}

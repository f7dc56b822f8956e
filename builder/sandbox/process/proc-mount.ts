/**
 * The /proc of a step. The kernel lets a user namespace mount a new one only where nothing of the old one
 * is hidden; in a container, whose /proc is masked in places, it refuses. There the step gets the
 * container's, with its masks, while its pid namespace stays its own: all of a step ends together.
 */
import { basename } from 'node:path'
import { MS, mount, type ProgramCall, restrictMount, SystemError } from '#builder/linux'
import { TsbuildError } from '#core'
import { NOTHING_SPECIAL } from '../root/mount-points.ts'
import type { FirstProcess } from './first-process.ts'

/** False once the kernel has refused. */
let canMount = true

/** A first process, and whether its /proc shows the processes of its pid namespace only. */
export interface FirstWithProc {
  readonly first: FirstProcess
  readonly hasOwnProc: boolean
}

/**
 * Starts pid 1 with a /proc.
 * @param path where the /proc is mounted: a directory in the working directory of the thread
 * @param start starts pid 1, which mounts /proc itself when it gets calls for that
 */
export function startWithProc(
  path: string,
  start: (calls: readonly ProgramCall[]) => FirstProcess,
): FirstWithProc {
  if (canMount) {
    try {
      return { first: start([mountProcCall(basename(path))]), hasOwnProc: true }
    } catch (cause) {
      if (!isRefused(cause)) throw cause
      canMount = false
    }
  }
  mount(path, { source: '/proc', flags: MS.BIND | MS.REC })
  restrictMount(path, { flags: NOTHING_SPECIAL, recursive: true })
  return { first: start([]), hasOwnProc: false }
}

/** Mounts the procfs of the calling process's pid namespace. */
function mountProcCall(target: string): ProgramCall {
  return { call: 'mount', args: ['proc', target, 'proc', MS.NOSUID | MS.NODEV | MS.NOEXEC, 0] }
}

function isRefused(failure: unknown): boolean {
  const cause = failure instanceof TsbuildError ? failure.cause : undefined
  return cause instanceof SystemError && cause.syscall === 'mount' && cause.code === 'EPERM'
}

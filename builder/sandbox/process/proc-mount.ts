/**
 * The /proc of a step. Since Linux 6.17 the builder mounts it by a descriptor of the pid namespace; before,
 * only a process inside can, so pid 1 does.
 *
 * The kernel lets a user namespace mount a new one only where nothing of the old one is hidden; in a
 * container, whose /proc is masked in places, it refuses. There the step gets the container's, with its
 * masks, while its pid namespace stays its own: all of a step ends together.
 */
import { closeSync } from 'node:fs'
import { basename } from 'node:path'
import {
  attachMount,
  MS,
  makeFileSystem,
  mount,
  type ProgramCall,
  restrictMount,
  SystemError,
  takesOptions,
} from '#builder/linux'
import { TsbuildError } from '#core'
import type { StepNamespaces } from '../container/step-namespaces.ts'
import { NOTHING_SPECIAL } from '../root/mount-points.ts'
import { endFirst, type StartedFirst } from './first-process.ts'

/** A first process, and whether its /proc shows the processes of its pid namespace only. */
export interface FirstWithProc extends StartedFirst {
  readonly hasOwnProc: boolean
}

/** Starts pid 1, which mounts /proc itself when it gets calls for that. */
type StartFirst = (mountProc: readonly ProgramCall[]) => StartedFirst

/** Starts pid 1, with a /proc at `path`. */
type ProcMount = (path: string, start: StartFirst) => FirstWithProc

/** Those that may work here, the best first; what the kernel has refused is not tried again. */
let ways: readonly ProcMount[] | undefined

/**
 * Starts pid 1 with a /proc.
 * @param path where the /proc is mounted: a directory in the working directory of the thread
 * @param pid where the pid namespace is from
 */
export function startWithProc(
  path: string,
  pid: StepNamespaces['pid'],
  start: StartFirst,
): FirstWithProc {
  if (pid === 'host') return showHost(path, start)
  ways ??= takesOptions('proc', { pidns: '/proc/self/ns/pid' })
    ? [mountByDescriptor, mountByFirst]
    : [mountByFirst]
  const [way = showOuter, ...others] = ways
  try {
    return way(path, start)
  } catch (cause) {
    if (way === showOuter || !isRefused(cause)) throw cause
    ways = others
    return startWithProc(path, pid, start)
  }
}

function mountByDescriptor(path: string, start: StartFirst): FirstWithProc {
  const started = start([])
  try {
    const proc = makeFileSystem('proc', { pidns: started.first.namespace }, NOTHING_SPECIAL)
    try {
      attachMount(proc, path)
    } finally {
      closeSync(proc)
    }
    return { ...started, hasOwnProc: true }
  } catch (cause) {
    end(started)
    throw cause
  }
}

function mountByFirst(path: string, start: StartFirst): FirstWithProc {
  const started = start([mountProcCall(basename(path))])
  try {
    started.awaitReady()
    return { ...started, awaitReady: () => undefined, hasOwnProc: true }
  } catch (cause) {
    end(started)
    throw cause
  }
}

function showOuter(path: string, start: StartFirst): FirstWithProc {
  mount(path, { source: '/proc', flags: MS.BIND | MS.REC })
  restrictMount(path, { flags: NOTHING_SPECIAL, recursive: true })
  return { ...start([]), hasOwnProc: false }
}

/** Processes of the host, which the caller wants to be seen. */
function showHost(path: string, start: StartFirst): FirstWithProc {
  try {
    mount(path, { type: 'proc', flags: NOTHING_SPECIAL })
  } catch (cause) {
    if (!isRefused(cause)) throw cause
    return { ...showOuter(path, start), hasOwnProc: true }
  }
  return { ...start([]), hasOwnProc: true }
}

function end(started: StartedFirst): void {
  started[Symbol.dispose]()
  endFirst(started.first)
}

/** Mounts the procfs of the calling process's pid namespace. */
function mountProcCall(target: string): ProgramCall {
  return { call: 'mount', args: ['proc', target, 'proc', MS.NOSUID | MS.NODEV | MS.NOEXEC, 0] }
}

const MOUNTING: ReadonlySet<string> = new Set(['fsconfig', 'fsmount', 'mount', 'move_mount'])

function isRefused(failure: unknown): boolean {
  const cause = failure instanceof TsbuildError ? failure.cause : failure
  return cause instanceof SystemError && cause.code === 'EPERM' && MOUNTING.has(cause.syscall)
}

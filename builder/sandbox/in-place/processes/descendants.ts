import { readdirSync, readFileSync, statSync } from 'node:fs'
import { assumeIdentity, findExit, type ProcessEnd, resumeRoot } from '#builder/linux'
import { errnoOf } from '#core'
import { sendSignal } from '../../children/shared-child.ts'

/** Milliseconds between looks at processes that take their time to end. */
const PAUSES = { first: 0.2, last: 20 }

/**
 * Kills everything below a supervisor, which ends when nothing is left: what starts new processes while
 * it is being killed is found again. Blocks the calling thread.
 * @returns how the supervisor has ended
 */
export function killBelow(supervisor: number): ProcessEnd {
  return killUntil(
    () => findExit(supervisor),
    () => {
      // The step may have stopped it.
      signalProcess(supervisor, 'SIGCONT')
      return descendantsOf(supervisor)
    },
  )
}

/**
 * Kills what has come to this process from a supervisor that was killed: whatever was started later than
 * it and has this process among its ancestors. Blocks the calling thread.
 * @param since when the supervisor was started
 */
export function killAdopted(since: number): void {
  killUntil(
    () => {
      const left = adoptedSince(since)
      for (const { pid, parent, hasEnded } of left) {
        if (hasEnded && parent === process.pid) findExit(pid)
      }
      return left.length === 0 ? true : undefined
    },
    () => adoptedSince(since),
  )
}

/** Only direct children wait to be released by this process. */
function adoptedSince(since: number): readonly FoundProcess[] {
  return descendantsOf(process.pid).filter(({ start }) => start >= since)
}

/** Kills what is found until `end` has a result. */
function killUntil<T>(end: () => T | undefined, find: () => readonly FoundProcess[]): T {
  const clock = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  let pause = PAUSES.first
  for (;;) {
    const result = end()
    if (result !== undefined) return result
    const found = find()
    // The first thread of a process may have ended without the others.
    for (const { pid } of found) signalProcess(pid, 'SIGKILL')
    if (found.some(({ hasEnded }) => !hasEnded)) {
      pause = PAUSES.first
      continue
    }
    Atomics.wait(clock, 0, 0, pause)
    pause = Math.min(pause * 2, PAUSES.last)
  }
}

/** Sends a signal to a process of any user, for which not every root has the right. */
export function signalProcess(pid: number, signal: NodeJS.Signals | number): void {
  try {
    sendSignal(pid, signal)
  } catch (cause) {
    if (errnoOf(cause) !== 'EPERM') throw cause
    signalAsOwner(pid, signal)
  }
}

function signalAsOwner(pid: number, signal: NodeJS.Signals | number): void {
  const owner = statSync(`/proc/${pid}`, { throwIfNoEntry: false })
  if (owner === undefined) return
  try {
    assumeIdentity({ uid: owner.uid, gid: owner.gid, groups: [] })
    sendSignal(pid, signal)
  } finally {
    resumeRoot()
  }
}

/** A field of /proc/PID/stat, counted from the state. Spec: proc_pid_stat(5) */
const START = 19

/** What /proc says of a process. */
export interface FoundProcess {
  readonly pid: number
  readonly parent: number
  /** It waits to be released. */
  readonly hasEnded: boolean
  /** When it was started, in ticks since the machine was. */
  readonly start: number
}

/** Processes whose line of parents leads to `ancestor`. */
function descendantsOf(ancestor: number): readonly FoundProcess[] {
  const all = readdirSync('/proc').flatMap((name) => {
    return (/^\d+$/.test(name) ? findProcess(Number(name)) : undefined) ?? []
  })
  const children = Map.groupBy(all, ({ parent }) => parent)
  const found = [...(children.get(ancestor) ?? [])]
  // The list grows while it is walked.
  for (const { pid } of found) found.push(...(children.get(pid) ?? []))
  return found
}

/** The name in parentheses may have any characters. @returns `undefined` when there is none */
export function findProcess(pid: number): FoundProcess | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [state = '', parent] = fields
    return {
      ...{ pid, parent: Number(parent), hasEnded: 'ZX'.includes(state) },
      start: Number(fields[START]),
    }
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ESRCH') return undefined
    throw cause
  }
}

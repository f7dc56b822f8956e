import { readdirSync, readFileSync, statSync } from 'node:fs'
import { assumeIdentity, hasExited, resumeRoot } from '#builder/linux'
import { errnoOf } from '#core'
import { sendSignal } from '../../process/shared-child.ts'

/** Milliseconds between looks at processes that take their time to end. */
const PAUSES = { first: 0.2, last: 20 }

/**
 * Kills everything below a supervisor, which ends when nothing is left: what starts new processes while
 * it is being killed is found again. Blocks the calling thread.
 */
export function killBelow(supervisor: number): void {
  const clock = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  let pause = PAUSES.first
  while (!hasExited(supervisor)) {
    const found = descendantsOf(supervisor)
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
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    sendSignal(pid, signal)
  } catch (cause) {
    if (errnoOf(cause) !== 'EPERM') throw cause
    signalAsOwner(pid, signal)
  }
}

function signalAsOwner(pid: number, signal: NodeJS.Signals): void {
  const owner = statSync(`/proc/${pid}`, { throwIfNoEntry: false })
  if (owner === undefined) return
  try {
    assumeIdentity({ uid: owner.uid, gid: owner.gid, groups: [] })
    sendSignal(pid, signal)
  } finally {
    resumeRoot()
  }
}

interface FoundProcess {
  readonly pid: number
  readonly parent: number
  /** It waits to be released. */
  readonly hasEnded: boolean
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

/** The name in parentheses may have any characters. */
function findProcess(pid: number): FoundProcess | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state = '', parent] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { pid, parent: Number(parent), hasEnded: 'ZX'.includes(state) }
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ESRCH') return undefined
    throw cause
  }
}

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { errnoOf } from '#core'
import { killAndWait } from '../children/shared-child.ts'
import type { FirstProcess } from '../process/first-process.ts'
import { descriptorPath } from '../root/root-entry.ts'

/** Whose processes are ended. */
export interface OrphansOf {
  /** Pid 1 of the step, which stays. */
  readonly first: Pick<FirstProcess, 'pid' | 'namespace'>
  /** The pid of the runtime, which has ended, and was the leader of a session. */
  readonly runtime: number
}

/**
 * Ends processes that a runtime has left when it was killed in the middle of its work. They have become children
 * of this process. One that is not released would stay as long as this process, and keep the pid namespace from
 * ending.
 */
export function endOrphans({ first, runtime }: OrphansOf): void {
  const { ino } = statSync(descriptorPath(first.namespace))
  const isLeft = (pid: number): boolean =>
    pid !== first.pid && (namespaceOf(pid) === ino || sessionOf(pid) === runtime)
  // The children of those that end come after them.
  for (
    let left = ownChildren().filter(isLeft);
    left.length > 0;
    left = ownChildren().filter(isLeft)
  ) {
    for (const pid of left) killAndWait(pid)
  }
}

/** Those that any thread of this process has started or adopted. */
function ownChildren(): readonly number[] {
  return readdirSync('/proc/self/task').flatMap((thread) => {
    const children = readFileSync(`/proc/self/task/${thread}/children`, 'latin1')
    return children.split(' ').filter(Boolean).map(Number)
  })
}

/** Spec: proc_pid_stat(5); the name in parentheses may have any characters. */
function sessionOf(pid: number): number | undefined {
  const fields = ifThere(() => readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? ''
  const [, , , session] = fields.slice(fields.lastIndexOf(')') + 2).split(' ')
  return session === undefined ? undefined : Number(session)
}

function namespaceOf(pid: number): number | undefined {
  return ifThere(() => statSync(`/proc/${pid}/ns/pid`).ino)
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}

import { writeFileSync } from 'node:fs'
import {
  getResourceLimit,
  type ResourceLimit,
  threadId,
  unshareWorkingDirectory,
} from '#builder/linux'
import type { CgroupDir } from '../limits/cgroup-dir.ts'

/** What a thread that starts processes keeps between steps. */
export interface Launcher {
  readonly openFiles: ResourceLimit
  /** As the kernel numbers it. */
  readonly thread: number
  /** The control groups that it is in, and so all that it starts. */
  readonly cgroups: readonly CgroupDir[]
}

/** Prepares the calling thread once for all steps that it will start. */
export function becomeLauncher(cgroups: readonly CgroupDir[]): Launcher {
  unshareWorkingDirectory()
  const thread = threadId()
  joinGroups(thread, cgroups)
  return { openFiles: getResourceLimit(0, 'nofile'), thread, cgroups }
}

/** Does `action` while the launcher is in other control groups. `undefined`: in its own. */
export function inGroups<T>(
  { thread, cgroups }: Launcher,
  others: readonly CgroupDir[] | undefined,
  action: () => T,
): T {
  if (others === undefined) return action()
  try {
    joinGroups(thread, others)
    return action()
  } finally {
    joinGroups(
      thread,
      others.map((directory) => ({ ...directory, path: directory.home })),
    )
    joinGroups(thread, cgroups)
  }
}

/**
 * Puts the calling thread, and only it, into groups of the first version: what it starts is in them, too.
 * Groups of the second version take no single threads.
 */
function joinGroups(thread: number, directories: readonly CgroupDir[]): void {
  for (const { version, path } of directories) {
    if (version === 1) writeFileSync(`${path}/tasks`, `${thread}`)
  }
}

import { existsSync, mkdirSync } from 'node:fs'
import { basename } from 'node:path'
import { MS, mount, restrictMount } from '#builder/linux'
import type { CgroupDir } from '../limits/cgroup-dir.ts'
import { NOTHING_SPECIAL } from './mount-points.ts'
import type { Scaffold } from './scaffold-paths.ts'

/** How control groups are shown. */
export interface GroupsShown {
  readonly isWritable: boolean
  /** Of the second version: with those of the host. */
  readonly isWhole: boolean
}

/**
 * Shows the step the control groups that limit it and no others, read-only, where programs look for the limits
 * that hold: the one of the second version itself, or a directory for each hierarchy of the first.
 */
export function mountControlGroups(
  { sys }: Scaffold,
  groups: readonly CgroupDir[],
  { isWritable, isWhole }: GroupsShown,
): void {
  const target = `${sys}/fs/cgroup`
  if (!existsSync(target)) return
  const directories = groups.filter(({ onlyCounts }) => !onlyCounts)
  const flags = NOTHING_SPECIAL | (isWritable ? 0 : MS.RDONLY)
  const whole = directories.find(({ version }) => version === 2)
  if (whole !== undefined && directories.length === 1) {
    mount(target, { source: isWhole ? whole.mount : whole.path, flags: MS.BIND })
    restrictMount(target, { flags })
    return
  }
  mount(target, { type: 'tmpfs', flags: NOTHING_SPECIAL, data: 'mode=755' })
  for (const directory of directories) {
    const path = `${target}/${basename(directory.mount)}`
    mkdirSync(path, 0o755)
    mount(path, { source: directory.path, flags: MS.BIND })
    restrictMount(path, { flags })
  }
  restrictMount(target, { flags })
}

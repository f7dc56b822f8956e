import { closeSync, mkdirSync } from 'node:fs'
import { basename } from 'node:path'
import { MS, mount, restrictMount } from '#builder/linux'
import type { CgroupDir } from '../limits/cgroup-dir.ts'
import { NOTHING_SPECIAL, restrictAt } from './mount-points.ts'
import { descriptorPath, findEntry, findEntryIfThere } from './root-entry.ts'

const TARGET = '/sys/fs/cgroup'

/**
 * Shows the step its own control groups and no others, read-only, where programs look for the limits
 * that hold: the one of the second version itself, or a directory for each hierarchy of the first.
 */
export function mountControlGroups(root: number, directories: readonly CgroupDir[]): void {
  const target = findEntryIfThere(root, TARGET)
  if (target === undefined) return
  const flags = NOTHING_SPECIAL | MS.RDONLY
  const whole = directories.find(({ version }) => version === 2)
  if (whole !== undefined && directories.length === 1) {
    mount(descriptorPath(target.descriptor), { source: whole.path, flags: MS.BIND })
    closeSync(target.descriptor)
    restrictAt(root, TARGET, { flags })
    return
  }
  mount(descriptorPath(target.descriptor), {
    type: 'tmpfs',
    flags: NOTHING_SPECIAL,
    data: 'mode=755',
  })
  closeSync(target.descriptor)
  const entry = findEntry(root, TARGET)
  for (const directory of directories) {
    const path = `${descriptorPath(entry.descriptor)}/${basename(directory.mount)}`
    mkdirSync(path, 0o755)
    mount(path, { source: directory.path, flags: MS.BIND })
    restrictMount(path, { flags })
  }
  closeSync(entry.descriptor)
  restrictAt(root, TARGET, { flags })
}

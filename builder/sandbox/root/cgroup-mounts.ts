import { closeSync, mkdirSync } from 'node:fs'
import { basename } from 'node:path'
import { MS, mount, restrictMount } from '#builder/linux'
import type { GroupPlace } from '../limits/control-groups.ts'
import { NOTHING_SPECIAL, restrictAt } from './kernel-mounts.ts'
import { findPlace, findPlaceIfThere, pathOf } from './root-entry.ts'

const TARGET = '/sys/fs/cgroup'

/**
 * Shows the step its own control groups and no others, read-only, where programs look for the limits
 * that hold: the one of the second version itself, or a directory for each hierarchy of the first.
 */
export function mountControlGroups(root: number, groups: readonly GroupPlace[]): void {
  const target = findPlaceIfThere(root, TARGET)
  if (target === undefined) return
  const flags = NOTHING_SPECIAL | MS.RDONLY
  const whole = groups.find(({ version }) => version === 2)
  if (whole !== undefined && groups.length === 1) {
    mount(pathOf(target.descriptor), { source: whole.path, flags: MS.BIND })
    closeSync(target.descriptor)
    restrictAt(root, TARGET, { flags })
    return
  }
  mount(pathOf(target.descriptor), { type: 'tmpfs', flags: NOTHING_SPECIAL, data: 'mode=755' })
  closeSync(target.descriptor)
  const place = findPlace(root, TARGET)
  for (const group of groups) {
    const path = `${pathOf(place.descriptor)}/${basename(group.mount)}`
    mkdirSync(path, 0o755)
    mount(path, { source: group.path, flags: MS.BIND })
    restrictMount(path, { flags })
  }
  closeSync(place.descriptor)
  restrictAt(root, TARGET, { flags })
}

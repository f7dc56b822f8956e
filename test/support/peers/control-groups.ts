import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

/** Daemons leave the empty control groups of their steps behind, some in every hierarchy. */
export function removeControlGroups(name: string): void {
  const base = '/sys/fs/cgroup'
  for (const hierarchy of ['', ...readdirSync(base)]) removeEmptyGroups(join(base, hierarchy, name))
}

function removeEmptyGroups(group: string): void {
  if (!existsSync(group)) return
  for (const entry of readdirSync(group, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmptyGroups(join(group, entry.name))
  }
  rmdirSync(group)
}

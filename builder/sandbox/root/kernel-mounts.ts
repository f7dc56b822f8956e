import { closeSync } from 'node:fs'
import { MS, mount } from '#builder/linux'
import { errnoOf } from '#core'
import { NOTHING_SPECIAL, type OnCreate, openMountPoint, restrictAt } from './mount-points.ts'
import { descriptorPath, findEntryIfThere } from './root-entry.ts'
import type { Scaffold } from './scaffold-paths.ts'

/** Moves the prepared procfs to /proc. */
export function mountProc(root: number, scaffold: Scaffold, onCreate: OnCreate): void {
  const target = openMountPoint(root, '/proc', onCreate)
  mount(descriptorPath(target), { source: scaffold.proc, flags: MS.MOVE })
  closeSync(target)
}

/**
 * Mounts a /sys, read-only unless `readonly` is false. Where the kernel refuses a new one (a user
 * namespace that does not own its network), it is the host's, read-only too.
 */
export function mountSys(
  root: number,
  options: { readonly onCreate: OnCreate; readonly readonly: boolean },
): void {
  const target = openMountPoint(root, '/sys', options.onCreate)
  const flags = NOTHING_SPECIAL | (options.readonly ? MS.RDONLY : 0)
  try {
    mount(descriptorPath(target), { type: 'sysfs', flags })
  } catch (cause) {
    if (errnoOf(cause) !== 'EPERM') throw cause
    mount(descriptorPath(target), { source: '/sys', flags: MS.BIND | MS.REC })
    restrictAt(root, '/sys', { flags, recursive: true })
  } finally {
    closeSync(target)
  }
}

/** Makes a file or directory look empty. One that does not exist stays so. */
export function maskPath(root: number, path: string, scaffold: Scaffold): void {
  const entry = findEntryIfThere(root, path)
  if (entry === undefined) return
  const source = entry.stat.isDirectory() ? scaffold.empty : scaffold.nothing
  mount(descriptorPath(entry.descriptor), { source, flags: MS.BIND })
  closeSync(entry.descriptor)
}

/** Makes a file or directory read-only with all that is below. */
export function protectPath(root: number, path: string): void {
  const entry = findEntryIfThere(root, path)
  if (entry === undefined) return
  const target = descriptorPath(entry.descriptor)
  mount(target, { source: target, flags: MS.BIND | MS.REC })
  closeSync(entry.descriptor)
  restrictAt(root, path, { flags: NOTHING_SPECIAL | MS.RDONLY })
}

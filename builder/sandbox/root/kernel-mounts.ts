/**
 * The kernel's file systems of a step: /proc, /sys and /dev. They are mounted in the scaffold, with all
 * that hides parts of them, and then moved into the root whole. Nothing of the image is walked for that.
 */
import { closeSync, openSync, statSync } from 'node:fs'
import { MS, mount, O_PATH, restrictMount } from '#builder/linux'
import { errnoOf, TsbuildError } from '#core'
import type { ProcessSpec } from '../spec/process-spec.ts'
import { mountDev } from './device-mounts.ts'
import type { HostFacts } from './host-facts.ts'
import { NOTHING_SPECIAL, type OnCreate, openMountPoint } from './mount-points.ts'
import { descriptorPath, findEntry } from './root-entry.ts'
import type { Scaffold } from './scaffold-paths.ts'

/** What decides what a step sees of the kernel. */
export interface KernelOptions {
  readonly host: Pick<HostFacts, 'masked' | 'readonly' | 'ttyGroup'>
  readonly spec: Pick<ProcessSpec, 'security' | 'container'>
  /** Whether a control group keeps the step from opening devices of the host. */
  readonly devicesLimited: boolean
}

/** Mounts them in a scaffold that has a procfs at `proc`. */
export function mountKernel(scaffold: Scaffold, options: KernelOptions): void {
  const { host, spec, devicesLimited: limited } = options
  const { security, container = {} } = spec
  const all = security === 'insecure'
  mountDev(scaffold, { ttyGroup: host.ttyGroup, devices: { limited, all } })
  mountSys(scaffold.sys, NOTHING_SPECIAL | (all ? 0 : MS.RDONLY))
  const { maskedPaths: masked, readonlyPaths: readonly } = container
  if (!all && masked === undefined) for (const path of host.masked) maskPath(scaffold, path)
  if (!all && readonly === undefined) {
    for (const path of host.readonly) protectPath(`${scaffold.base}${path}`)
  }
  for (const path of masked ?? []) onKernelPath(scaffold, path, () => maskPath(scaffold, path))
  for (const path of readonly ?? []) {
    onKernelPath(scaffold, path, () => protectPath(`${scaffold.base}${path}`))
  }
}

/**
 * Does `action` where a caller's path is one of the kernel's files. A link of /proc may lead to the host's files, and
 * what is not there need not be hidden.
 */
function onKernelPath({ base }: Scaffold, path: string, action: () => void): void {
  if (!/^\/(?:proc|sys|dev)\//.test(path) || path.split('/').includes('..')) return
  const root = openSync(base, O_PATH)
  try {
    closeSync(findEntry(root, path, { nofollow: true }).descriptor)
    action()
  } catch (cause) {
    if (!(cause instanceof TsbuildError) || cause.code !== 'STEP_FAILED') throw cause
  } finally {
    closeSync(root)
  }
}

/** Moves one of them to where the step looks for it. @throws {TsbuildError} STEP_FAILED */
export function moveKernel(
  root: number,
  part: '/dev' | '/proc' | '/sys',
  { scaffold, onCreate }: { readonly scaffold: Scaffold; readonly onCreate: OnCreate },
): void {
  const target = openMountPoint(root, part, onCreate)
  mount(descriptorPath(target), { source: `${scaffold.base}${part}`, flags: MS.MOVE })
  closeSync(target)
}

/**
 * Where the kernel refuses a new one (a user namespace that does not own its network), it is the host's,
 * read-only too.
 */
function mountSys(target: string, flags: number): void {
  try {
    mount(target, { type: 'sysfs', flags })
  } catch (cause) {
    if (errnoOf(cause) !== 'EPERM') throw cause
    mount(target, { source: '/sys', flags: MS.BIND | MS.REC })
    restrictMount(target, { flags, recursive: true })
  }
}

/** Makes a file or directory look empty. One that does not exist stays so. */
function maskPath({ base, empty, nothing }: Scaffold, path: string): void {
  const target = `${base}${path}`
  const stat = statSync(target, { throwIfNoEntry: false })
  if (stat === undefined) return
  mount(target, { source: stat.isDirectory() ? empty : nothing, flags: MS.BIND })
}

/** Makes a file or directory read-only with all that is below. */
function protectPath(target: string): void {
  try {
    mount(target, { source: target, flags: MS.BIND | MS.REC })
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
    return
  }
  restrictMount(target, { flags: NOTHING_SPECIAL | MS.RDONLY })
}

import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { type OverlayMount, TsbuildError } from '#core'
import { fileRights, O_PATH } from '#disk'
import { cString, SystemError, syscall } from '../system/syscalls.ts'
import { attachMount } from './detached.ts'
import { MS, mount } from './mounts.ts'

/** Linux refuses more layers in one overlay. */
const MAX_LAYERS = 500

/**
 * Mounts the union at `target`, an existing empty directory. A lower directory may be given more than
 * once. The calling thread must be in a mount namespace of its own; its working directory is changed.
 * A file system that is mounted nowhere is attached to `target` first, where the union hides it.
 * @throws {TsbuildError} SNAPSHOT_UNAVAILABLE when the kernel shows no union of these directories
 *
 * mount(2) takes one page of options, too little for the paths of hundreds of layers, and the newer
 * calls that take layers one by one exist only since Linux 6.7 and refuse paths of 256 bytes. So
 * every directory is opened, the thread goes to /proc/self/fd, and the options name the descriptors.
 */
export function mountOverlay(overlay: Omit<OverlayMount, 'type' | 'target'>, target: string): void {
  const { lower, writable, filesystem, lasting } = overlay
  if (lower.length === 0) {
    if (writable === undefined) throw new SystemError(22, 'mount', 'an overlay of nothing')
    mount(target, { source: writable.upper, flags: MS.BIND })
    return
  }
  const opened: number[] = []
  const open = (path: string): number => {
    const descriptor = openSync(path, O_PATH | constants.O_DIRECTORY)
    opened.push(descriptor)
    return descriptor
  }
  try {
    const targetAt = open(target)
    if (filesystem !== undefined) attachMount(filesystem, target)
    const layers = distinct(lower.map(open))
    if (layers.length > MAX_LAYERS) throw new SystemError(7, 'mount', `${layers.length} layers`)
    // One alone is refused; shown as a bind mount, its whiteouts would be device files.
    if (layers.length === 1 && writable === undefined) layers.push(targetAt)
    const upper =
      writable === undefined
        ? []
        : [`upperdir=${open(writable.upper)}`, `workdir=${open(writable.work)}`]
    const options = [...SAFE_OPTIONS, ...upper, `lowerdir=${layers.join(':')}`]
    if (fileRights().marks === 'user') options.unshift('userxattr')
    syscall('chdir', [cString('/proc/self/fd')], '/proc/self/fd')
    const mountUnion = lasting === true ? mountLasting : mountVolatile
    const mountIt = writable === undefined ? mountReadOnly : mountUnion
    mountIt(`/proc/self/fd/${targetAt}`, options)
  } catch (cause) {
    throw isRefusal(cause) ? refusedError(cause) : cause
  } finally {
    for (const descriptor of opened) closeSync(descriptor)
  }
}

/** How kernels say that they lack overlayfs, or that they have none of these directories or for this user. */
const REFUSALS: ReadonlySet<string> = new Set([
  ...['EACCES', 'EINVAL', 'ENODEV', 'ENOSYS', 'EOPNOTSUPP', 'ENOTSUP', 'EPERM'],
])

function isRefusal(cause: unknown): cause is SystemError {
  if (!(cause instanceof SystemError) || !REFUSALS.has(cause.code)) return false
  return cause.syscall === 'mount' || cause.syscall === 'move_mount'
}

function refusedError(cause: SystemError): TsbuildError {
  return new TsbuildError(`mount an overlay: ${cause.message}`, {
    code: 'SNAPSHOT_UNAVAILABLE',
    cause,
    hint: 'put the store on another file system (a volume, --root), or choose another --snapshotter',
  })
}

/**
 * The kernel refuses (ELOOP) a directory that it has already. Of equal ones the topmost decides all
 * that the others could: each of its names hides, or is merged with, the same name of theirs.
 */
function distinct(descriptors: readonly number[]): number[] {
  const seen = new Map<string, number>()
  for (const descriptor of descriptors) {
    const { dev, ino } = fstatSync(descriptor, { bigint: true })
    const inode = `${dev}:${ino}`
    if (!seen.has(inode)) seen.set(inode, descriptor)
  }
  return [...seen.values()]
}

/**
 * Redirects and metadata-only copies would trust attributes that an image may have brought along,
 * and make layers that are not plain directories.
 */
const SAFE_OPTIONS = ['redirect_dir=nofollow', 'metacopy=off', 'index=off']

function mountReadOnly(target: string, options: readonly string[]): void {
  mount(target, { type: 'overlay', flags: MS.RDONLY, data: options.join(',') })
}

/**
 * `volatile` (Linux 5.10) leaves out syncing the upper directory: the code that keeps the result syncs
 * its file system once, instead of the step doing so thousands of times.
 */
function mountVolatile(target: string, options: readonly string[]): void {
  try {
    mount(target, { type: 'overlay', data: ['volatile', ...options].join(',') })
  } catch (cause) {
    if (!(cause instanceof SystemError) || cause.code !== 'EINVAL') throw cause
    mountLasting(target, options)
  }
}

function mountLasting(target: string, options: readonly string[]): void {
  mount(target, { type: 'overlay', data: options.join(',') })
}

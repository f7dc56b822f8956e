import { Buffer } from 'node:buffer'
import type { ProgramCall } from '../programs/call-table.ts'
import { namespaceFlags } from '../system/namespaces.ts'
import { AT_FDCWD, cString, SystemError, syscall, trySyscall } from '../system/syscalls.ts'

/** Flags of mount(2) that are used here. */
export const MS: Readonly<
  Record<'RDONLY' | 'NOSUID' | 'NODEV' | 'NOEXEC' | 'REMOUNT' | 'BIND' | 'MOVE' | 'REC', number>
> &
  Readonly<Record<'PRIVATE' | 'SLAVE' | 'STRICTATIME', number>> = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  REMOUNT: 0x20,
  BIND: 0x1000,
  MOVE: 0x2000,
  REC: 0x4000,
  PRIVATE: 0x40000,
  SLAVE: 0x80000,
  STRICTATIME: 0x1000000,
}

const MNT_DETACH = 2
const ENOSYS = 38
const EPERM = 1
const AT_RECURSIVE = 0x8000

/** The arguments of mount(2). */
export interface MountOptions {
  readonly type?: string
  readonly source?: string
  /** The sum of `MS` values. */
  readonly flags?: number
  /** What the file system itself reads, comma-separated. */
  readonly data?: string
}

/** File systems of which all files can have one label, whatever they hold. */
const LABELLED: ReadonlySet<string> = new Set(['overlay', 'tmpfs', 'devpts'])

/** Of the calling thread. */
let label: string | undefined

/** Gives all files of what the calling thread mounts from now on a label of SELinux; `undefined`: none. */
export function labelMounts(context: string | undefined): void {
  label = context
}

function labelled({ type = '', data }: MountOptions): string | undefined {
  if (label === undefined || !LABELLED.has(type)) return data
  return [...(data === undefined ? [] : [data]), `context="${label}"`].join(',')
}

/** mount(2). `target` may be `/proc/self/fd/N`, which names exactly the file that N is. */
export function mount(target: string, options: MountOptions): void {
  const { type, source, flags = 0 } = options
  const data = labelled(options)
  syscall(
    'mount',
    [
      cString(source ?? type ?? 'none'),
      cString(target),
      type === undefined ? undefined : cString(type),
      flags,
      data === undefined ? undefined : cString(data),
    ],
    target,
  )
}

/** Stops mounts from propagating between this namespace and the one that it was copied from. */
export function makeMountsPrivate(): void {
  mount('/', { flags: MS.REC | MS.PRIVATE })
}

/**
 * Calls after which what a process mounts and unmounts is its own matter, and not the host's. Needed by
 * programs that make only their root private: with systemd, each mount below it passes on what is unmounted
 * in it.
 */
export const OWN_MOUNTS: readonly ProgramCall[] = [
  { call: 'unshare', args: [namespaceFlags('mnt')] },
  { call: 'mount', args: [0, '/', 0, MS.REC | MS.PRIVATE, 0] },
]

/** Attributes to switch on; the values are those of `MS`, and no other attribute changes. */
export interface MountAttributes {
  readonly flags: number
  /** Also those of every mount below. */
  readonly recursive?: boolean
}

/**
 * Restricts a mount point. Where the kernel is too old to change single attributes (before 5.12),
 * a mount that is not recursive is mounted again with exactly these flags.
 */
export function restrictMount(target: string, attributes: MountAttributes): void {
  const { flags, recursive = false } = attributes
  const set = Buffer.alloc(32)
  set.writeBigUInt64LE(BigInt(flags))
  const path = cString(target)
  const lookup = recursive ? AT_RECURSIVE : 0
  const args = [AT_FDCWD, path, lookup, set, set.length]
  if (trySyscall('mount_setattr', args) >= 0) return
  if (!recursive && trySyscall('mount_setattr', args) === -ENOSYS) {
    mount(target, { flags: MS.REMOUNT | MS.BIND | flags })
    return
  }
  syscall('mount_setattr', args, target)
}

/** Unmounts `target` now, and its contents once they are unused. */
export function detachMount(target: string): void {
  syscall('umount2', [cString(target), MNT_DETACH], target)
}

/**
 * Makes the directory `root` (a mount point, open as a descriptor) the root of this mount namespace
 * and detaches the old one. Nothing is made inside the new root, and the working directory is `/`.
 *
 * Filters of container engines refuse pivot_root(2) even to those who may mount. There the new root covers
 * the old one, as at the start of a machine: no path leads below, because the old root is at the top of
 * the namespace and `..` ends there. Processes that enter the namespace get the new root; one that was in it
 * before keeps the old one.
 */
export function pivotRoot(root: number, oldRoot: number): 'detached' | 'covered' {
  const here = cString('.')
  syscall('fchdir', [root], 'new root')
  const result = trySyscall('pivot_root', [here, here])
  if (result === -EPERM) {
    mount('/', { source: '.', flags: MS.MOVE })
    syscall('chroot', [here], 'new root')
    return 'covered'
  }
  if (result < 0) throw new SystemError(-result, 'pivot_root', 'new root')
  syscall('fchdir', [oldRoot], 'old root')
  detachMount('.')
  syscall('fchdir', [root], 'new root')
  return 'detached'
}

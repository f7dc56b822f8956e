/**
 * File systems that are mounted nowhere: a descriptor keeps one alive, and a mount namespace that it is
 * attached to shows it. So a step's mount namespace can have one that its builder has made, and reads
 * after that namespace is gone.
 */
import { closeSync } from 'node:fs'
import {
  AT_FDCWD,
  cString,
  type SyscallArgument,
  SystemError,
  syscall,
} from '../system/syscalls.ts'

const FSOPEN_CLOEXEC = 1
const FSMOUNT_CLOEXEC = 1
const FSCONFIG_SET_FLAG = 0
const FSCONFIG_SET_STRING = 1
const FSCONFIG_SET_FD = 5
const FSCONFIG_CMD_CREATE = 6
const MOVE_MOUNT_F_EMPTY_PATH = 4
const OPEN_TREE_CLONE = 1
const OPEN_TREE_CLOEXEC = 0x80000
const AT_EMPTY_PATH = 0x1000
const AT_RECURSIVE = 0x8000

/** As a file system takes them: text, a descriptor, or `true` for one without a value. */
export type FileSystemOptions = Readonly<Record<string, string | number | true>>

/**
 * Makes a file system that is mounted nowhere. Needs Linux 5.2.
 * @param attributes `MS` values of its mount
 * @returns descriptor of its root, which closes on exec
 * @throws {SystemError}
 */
export function makeFileSystem(type: string, options: FileSystemOptions, attributes = 0): number {
  const context = configure(type, options)
  try {
    syscall('fsconfig', [context, FSCONFIG_CMD_CREATE, undefined, undefined, 0], type)
    return syscall('fsmount', [context, FSMOUNT_CLOEXEC, attributes], type)
  } finally {
    closeSync(context)
  }
}

/** Whether this kernel knows a file system with these options; none is made. */
export function takesOptions(type: string, options: FileSystemOptions): boolean {
  try {
    closeSync(configure(type, options))
    return true
  } catch (cause) {
    if (cause instanceof SystemError) return false
    throw cause
  }
}

/** @returns descriptor of what a file system can be made from */
function configure(type: string, options: FileSystemOptions): number {
  const context = syscall('fsopen', [cString(type), FSOPEN_CLOEXEC], type)
  try {
    for (const [key, value] of Object.entries(options)) {
      syscall('fsconfig', [context, ...settingOf(key, value)], key)
    }
    return context
  } catch (cause) {
    closeSync(context)
    throw cause
  }
}

function settingOf(key: string, value: string | number | true): readonly SyscallArgument[] {
  const name = cString(key)
  if (value === true) return [FSCONFIG_SET_FLAG, name, undefined, 0]
  if (typeof value === 'number') return [FSCONFIG_SET_FD, name, undefined, value]
  return [FSCONFIG_SET_STRING, name, cString(value), 0]
}

/**
 * A mount of the same files that is attached nowhere, and in the same group of those that pass mounts on.
 * @param source in the mount namespace of the calling thread: a path, which links may be part of, or a descriptor
 * @param below whether what is mounted below it is part of it. Default: `left-out`
 * @returns a descriptor of it, which closes on exec
 * @throws {SystemError}
 */
export function cloneMount(
  source: string | number,
  below: 'left-out' | 'included' = 'left-out',
): number {
  const [directory, path] = typeof source === 'string' ? [AT_FDCWD, source] : [source, '']
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH
  const recursive = below === 'included' ? AT_RECURSIVE : 0
  return syscall('open_tree', [directory, cString(path), flags | recursive], `${source}`)
}

/**
 * Mounts what `makeFileSystem` or `cloneMount` made at `target` in the mount namespace of the calling thread; possible
 * once.
 * @throws {SystemError}
 */
export function attachMount(descriptor: number, target: string): void {
  syscall(
    'move_mount',
    [descriptor, cString(''), AT_FDCWD, cString(target), MOVE_MOUNT_F_EMPTY_PATH],
    target,
  )
}

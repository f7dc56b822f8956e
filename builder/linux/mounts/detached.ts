/**
 * File systems that are mounted nowhere: a descriptor keeps one alive, and a mount namespace that it is
 * attached to shows it. So a step's mount namespace can have one that its builder has made, and reads
 * after that namespace is gone.
 */
import { closeSync } from 'node:fs'
import { AT_FDCWD, cString, syscall } from '../system/syscalls.ts'

const FSOPEN_CLOEXEC = 1
const FSMOUNT_CLOEXEC = 1
const FSCONFIG_SET_FLAG = 0
const FSCONFIG_SET_STRING = 1
const FSCONFIG_CMD_CREATE = 6
const MOVE_MOUNT_F_EMPTY_PATH = 4

/**
 * Makes a file system that is mounted nowhere. Needs Linux 5.2.
 * @param options as the file system takes them; `true` for one without a value
 * @returns descriptor of its root, which closes on exec
 * @throws {SystemError}
 */
export function makeFileSystem(
  type: string,
  options: Readonly<Record<string, string | true>>,
): number {
  const context = syscall('fsopen', [cString(type), FSOPEN_CLOEXEC], type)
  try {
    for (const [key, value] of Object.entries(options)) {
      const command = value === true ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING
      const text = value === true ? undefined : cString(value)
      syscall('fsconfig', [context, command, cString(key), text, 0], key)
    }
    syscall('fsconfig', [context, FSCONFIG_CMD_CREATE, undefined, undefined, 0], type)
    return syscall('fsmount', [context, FSMOUNT_CLOEXEC, 0], type)
  } finally {
    closeSync(context)
  }
}

/**
 * Mounts what `makeFileSystem` made at `target` in the mount namespace of the calling thread; possible
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

import { constants } from 'node:fs'
import { constants as os } from 'node:os'
import { O_CLOEXEC, O_PATH } from '#disk'
import { cString, SystemError, trySyscall } from '../system/syscalls.ts'

const FLAGS = O_PATH | constants.O_NOFOLLOW | O_CLOEXEC

/**
 * Opens what `name` is in a directory as a place only, a link itself. What is not there costs no exception, as
 * where a program is looked up: those of Node's own calls take longer than the call.
 * @returns `undefined` when nothing has that name
 * @throws {SystemError}
 */
export function openPlace(directory: number, name: string): number | undefined {
  const result = trySyscall('openat', [directory, cString(name), FLAGS, 0])
  if (result >= 0) return result
  if (result === -os.errno.ENOENT) return undefined
  throw new SystemError(-result, 'openat', `/proc/self/fd/${directory}/${name}`)
}

import { constants } from 'node:os'
import { trySyscall } from '../system/syscalls.ts'

const F_SETSIG = 10
const F_SETLEASE = 1024
const F_RDLCK = 0
const F_UNLCK = 2
const EINVAL = constants.errno.EINVAL

/**
 * Whether a process has the file open for writing, or mapped so: the kernel grants a lease for reading
 * only where none has. Also true where that cannot be determined (the file of another user).
 * @param descriptor of a regular file, open for reading
 */
export function hasWriter(descriptor: number): boolean {
  // An open of the file in this moment makes the kernel send a signal: choose one that does nothing.
  if (trySyscall('fcntl', [descriptor, F_SETSIG, constants.signals.SIGURG]) < 0) return true
  const result = trySyscall('fcntl', [descriptor, F_SETLEASE, F_RDLCK])
  if (result < 0) return result !== -EINVAL
  trySyscall('fcntl', [descriptor, F_SETLEASE, F_UNLCK])
  return false
}

import { Buffer } from 'node:buffer'
import { constants } from 'node:fs'
import { syscall } from './syscalls.ts'

/** How many characters a terminal shows. */
export interface WindowSize {
  readonly columns: number
  readonly rows: number
}

/** The request by which the leader of a session without a terminal takes one. Spec: ioctl_tty(2) */
export const TIOCSCTTY = 0x540e
const TIOCSWINSZ = 0x5414
const TIOCSPTLCK = 0x40045431
const TIOCGPTPEER = 0x5441
const F_DUPFD_CLOEXEC = 1030
const LEAST = 3

/**
 * Opens the end of a pseudo terminal that programs use, by its master and not by a path, which would be one of
 * another mount namespace. It becomes no controlling terminal of this process.
 */
export function openTerminalOf(master: number): number {
  syscall('ioctl', [master, TIOCSPTLCK, Buffer.alloc(4)], 'unlock a terminal')
  const { O_RDWR, O_NOCTTY } = constants
  return syscall('ioctl', [master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC], 'terminal')
}

/** Sets the size of a terminal; its programs get SIGWINCH when it is another one. */
export function setWindowSize(master: number, { columns, rows }: WindowSize): void {
  const size = Buffer.alloc(8)
  size.writeUInt16LE(rows, 0)
  size.writeUInt16LE(columns, 2)
  syscall('ioctl', [master, TIOCSWINSZ, size], 'size of a terminal')
}

/** Another descriptor of the same open file. */
export function duplicate(descriptor: number): number {
  return syscall('fcntl', [descriptor, F_DUPFD_CLOEXEC, LEAST], 'duplicate')
}

const O_CLOEXEC = 0x80000

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
const TCGETS = 0x5401
const TCSETS = 0x5402
/** Larger than `struct termios` of the kernel, of four flags, a byte and characters. */
const TERMIOS_SIZE = 64
const OUTPUT_FLAGS = 4
const OPOST = 1
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

/** Lets a terminal show what it is given as it is: Node's raw mode is about keys only. */
export function showAsWritten(terminal: number): void {
  const settings = Buffer.alloc(TERMIOS_SIZE)
  syscall('ioctl', [terminal, TCGETS, settings], 'terminal')
  settings.writeUInt32LE(settings.readUInt32LE(OUTPUT_FLAGS) & ~OPOST, OUTPUT_FLAGS)
  syscall('ioctl', [terminal, TCSETS, settings], 'terminal')
}

/** Another descriptor of the same open file. */
export function duplicate(descriptor: number): number {
  return syscall('fcntl', [descriptor, F_DUPFD_CLOEXEC, LEAST], 'duplicate')
}

const O_CLOEXEC = 0x80000

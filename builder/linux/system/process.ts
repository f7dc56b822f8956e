import { Buffer } from 'node:buffer'
import { closeSync, readdirSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { ULIMIT_NAMES, type UlimitName } from '#core'
import { AT_FDCWD, cString, syscall, trySyscall } from './syscalls.ts'

/** A soft and a hard limit; -1 is no limit. */
export interface ResourceLimit {
  readonly soft: bigint
  readonly hard: bigint
}

/** The limit of process `pid` (0: this one, all threads). */
export function getResourceLimit(pid: number, resource: UlimitName): ResourceLimit {
  const old = Buffer.alloc(16)
  syscall('prlimit64', [pid, ULIMIT_NAMES.indexOf(resource), undefined, old], resource)
  return { soft: old.readBigUInt64LE(0), hard: old.readBigUInt64LE(8) }
}

/** @throws {SystemError} EPERM when it would raise the hard limit without the right to */
export function setResourceLimit(pid: number, resource: UlimitName, limit: ResourceLimit): void {
  const bytes = Buffer.alloc(16)
  bytes.writeBigUInt64LE(limit.soft, 0)
  bytes.writeBigUInt64LE(limit.hard, 8)
  syscall('prlimit64', [pid, ULIMIT_NAMES.indexOf(resource), bytes, undefined], resource)
}

/** A pipe that no other program inherits. */
export function makePipe(): { readonly readEnd: number; readonly writeEnd: number } {
  const ends = Buffer.alloc(8)
  syscall('pipe2', [ends, O_CLOEXEC], 'pipe')
  return { readEnd: ends.readInt32LE(0), writeEnd: ends.readInt32LE(4) }
}

/**
 * No program started from now on inherits a descriptor above 2 by accident, also none that this
 * process itself had inherited. Needs the host's /proc on kernels before 5.11.
 */
export function closeDescriptorsOnExec(): void {
  if (trySyscall('close_range', [3, 0xffffffff, CLOSE_RANGE_CLOEXEC]) >= 0) return
  for (const name of readdirSync('/proc/self/fd')) {
    // The listing's own descriptor is gone by now.
    if (Number(name) > 2) trySyscall('fcntl', [Number(name), F_SETFD, FD_CLOEXEC])
  }
}

/**
 * Locks an open file or directory for as long as it is open. @returns false when another has the lock
 */
export function lockFile(descriptor: number): boolean {
  const result = trySyscall('flock', [descriptor, LOCK_EX | LOCK_NB])
  if (result === -EWOULDBLOCK) return false
  if (result < 0) syscall('flock', [descriptor, LOCK_EX | LOCK_NB], 'lock')
  return true
}

/** The calling thread, as the kernel numbers it. */
export function threadId(): number {
  return Number(basename(readlinkSync('/proc/thread-self')))
}

/** The umask of the calling thread, when it has a working directory of its own. */
export function setUmask(mask: number): void {
  syscall('umask', [mask])
}

/** The working directory of the calling thread, when it has one of its own. */
export function enterDirectory(descriptor: number): void {
  syscall('fchdir', [descriptor], 'working directory')
}

export function setHostname(name: string): void {
  const bytes = Buffer.from(name, 'utf8')
  syscall('sethostname', [bytes, bytes.length], name)
}

/** Switches the loopback interface of the thread's network namespace on. */
export function raiseLoopback(): void {
  const socket = syscall('socket', [AF_INET, SOCK_DGRAM | O_CLOEXEC, 0], 'loopback')
  try {
    const request = Buffer.alloc(40)
    request.write('lo', 'latin1')
    request.writeInt16LE(IFF_UP | IFF_RUNNING, 16)
    syscall('ioctl', [socket, SIOCSIFFLAGS, request], 'lo')
  } finally {
    closeSync(socket)
  }
}

/** Times in nanoseconds since the epoch. */
export interface FileTimes {
  readonly atimeNs: bigint
  readonly mtimeNs: bigint
}

/** Sets the times of what `path` names, exactly; a link is followed, so give /proc/self/fd/N. */
export function setFileTimes(path: string, times: FileTimes): void {
  const spec = Buffer.alloc(32)
  writeTime(spec, 0, times.atimeNs)
  writeTime(spec, 16, times.mtimeNs)
  syscall('utimensat', [AT_FDCWD, cString(path), spec, 0], path)
}

function writeTime(spec: Buffer, offset: number, time: bigint): void {
  const nanoseconds = ((time % BILLION) + BILLION) % BILLION
  spec.writeBigInt64LE((time - nanoseconds) / BILLION, offset)
  spec.writeBigInt64LE(nanoseconds, offset + 8)
}

const BILLION = 1_000_000_000n
const O_CLOEXEC = 0x80000
const LOCK_EX = 2
const LOCK_NB = 4
const EWOULDBLOCK = 11
const CLOSE_RANGE_CLOEXEC = 4
const F_SETFD = 2
const FD_CLOEXEC = 1
const AF_INET = 2
const SOCK_DGRAM = 2
const SIOCSIFFLAGS = 0x8914
const IFF_UP = 0x1
const IFF_RUNNING = 0x40

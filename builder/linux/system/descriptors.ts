import { Buffer } from 'node:buffer'
import { readdirSync } from 'node:fs'
import { addressOf, syscall, trySyscall } from './syscalls.ts'

/** The two ends of a pipe, as descriptors. */
export interface Pipe {
  readonly readEnd: number
  readonly writeEnd: number
}

/** Makes a pipe that programs do not inherit. */
export function makePipe(): Pipe {
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
    // The listing's own descriptor is closed by now.
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

/** Makes two stream sockets that are connected to each other and that programs do not inherit. */
export function makeSocketPair(): readonly [number, number] {
  const ends = Buffer.alloc(8)
  syscall('socketpair', [AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, ends], 'socket pair')
  return [ends.readInt32LE(0), ends.readInt32LE(4)]
}

/**
 * A control message that carries descriptors: as sent, or with room for as many to receive.
 * Spec: cmsg(3), unix(7) SCM_RIGHTS
 */
export function rightsMessage(descriptors: readonly number[]): Buffer {
  const length = CMSG_HEADER + descriptors.length * 4
  const message = Buffer.alloc(Math.ceil(length / 8) * 8)
  message.writeBigUInt64LE(BigInt(length), 0)
  message.writeInt32LE(SOL_SOCKET, 8)
  message.writeInt32LE(SCM_RIGHTS, 12)
  for (const [index, descriptor] of descriptors.entries()) {
    message.writeInt32LE(descriptor, CMSG_HEADER + index * 4)
  }
  return message
}

/** Sends one byte and copies of descriptors to the other end of a socket. @throws {SystemError} EPIPE */
export function sendDescriptors(socket: number, descriptors: readonly number[]): void {
  const rights = rightsMessage(descriptors)
  // `struct msghdr` (56 bytes), its `struct iovec` (16), what that points to (8), the control message.
  const message = Buffer.alloc(80 + rights.length)
  const base = addressOf(message)
  message.writeBigUInt64LE(base + 56n, 16)
  message.writeBigUInt64LE(1n, 24)
  message.writeBigUInt64LE(base + 80n, 32)
  message.writeBigUInt64LE(BigInt(rights.length), 40)
  message.writeBigUInt64LE(base + 72n, 56)
  message.writeBigUInt64LE(1n, 64)
  message.set(rights, 80)
  syscall('sendmsg', [socket, message, MSG_NOSIGNAL], 'descriptors')
}

const CMSG_HEADER = 16
const SOL_SOCKET = 1
const SCM_RIGHTS = 1
const MSG_NOSIGNAL = 0x4000
const O_CLOEXEC = 0x80000
const LOCK_EX = 2
const LOCK_NB = 4
const EWOULDBLOCK = 11
const CLOSE_RANGE_CLOEXEC = 4
const F_SETFD = 2
const FD_CLOEXEC = 1
const AF_UNIX = 1
const SOCK_STREAM = 1

const POLLIN = 1

/**
 * Blocks the calling thread until there is something to read, or the other end is closed.
 * @returns false when that takes longer
 */
export function awaitReadable(descriptor: number, milliseconds: number): boolean {
  const asked = Buffer.alloc(8)
  asked.writeInt32LE(descriptor, 0)
  asked.writeInt16LE(POLLIN, 4)
  const time = Buffer.alloc(16)
  time.writeBigInt64LE(BigInt(Math.floor(milliseconds / 1000)), 0)
  time.writeBigInt64LE(BigInt(milliseconds % 1000) * 1_000_000n, 8)
  return trySyscall('ppoll', [asked, 1, time, undefined, 0]) > 0
}

import { Buffer } from 'node:buffer'
import { closeSync } from 'node:fs'
import { SystemError, syscall, trySyscall } from './syscalls.ts'

const AF_UNIX = 1
export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
const SOCK_NONBLOCK = 0x800
const SOCK_CLOEXEC = 0x80000
/** Longest path that the kernel takes, with the NUL at its end. */
const MAX_PATH = 108

/**
 * Makes a stream socket named by a file, which `net.Server` can listen on by its descriptor.
 * @param path short, as `/proc/self/fd/N/name` is; there must be nothing at it
 */
export function bindSocket(path: string): number {
  const address = Buffer.alloc(2 + MAX_PATH)
  address.writeUInt16LE(AF_UNIX)
  address.write(path, 2)
  return boundSocket(SOCK_STREAM, address.subarray(0, 2 + Buffer.byteLength(path) + 1), path)
}

/**
 * Makes a socket of a name: a `struct sockaddr`, which begins with its family.
 * @param subject for the message of a failure
 * @throws {SystemError}
 */
export function boundSocket(type: number, name: Buffer, subject: string): number {
  const socket = unboundSocket(type, name.readUInt16LE(0), subject)
  try {
    syscall('bind', [socket, name, name.length], subject)
    return socket
  } catch (cause) {
    closeSync(socket)
    throw cause
  }
}

/** Makes a socket of a family that has no name yet and never blocks. @throws {SystemError} */
export function unboundSocket(type: number, family: number, subject: string): number {
  return syscall('socket', [family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0], subject)
}

/** Lets connections to a bound socket wait to be accepted. */
export function listenOnSocket(socket: number): void {
  syscall('listen', [socket, BACKLOG], 'socket')
}

/** Kinds of netlink sockets: links, addresses and routes, or the packet filter. */
export type NetlinkKind = 'route' | 'netfilter'

const NETLINK_PROTOCOLS: Readonly<Record<NetlinkKind, number>> = { route: 0, netfilter: 12 }

/**
 * Opens a socket to the kernel's part of the calling thread's network namespace, and to that for as long as
 * it is open. It never blocks, and explains failures.
 * Spec: netlink(7)
 */
export function openNetlink(kind: NetlinkKind): number {
  const flags = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC
  const socket = syscall('socket', [AF_NETLINK, flags, NETLINK_PROTOCOLS[kind]], `netlink ${kind}`)
  const on = Buffer.from(Int32Array.of(1).buffer)
  for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK]) {
    trySyscall('setsockopt', [socket, SOL_NETLINK, option, on, on.length])
  }
  return socket
}

const AF_NETLINK = 16
const SOCK_RAW = 3
const SOL_NETLINK = 270
/** An answer has only the header of its request. */
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11

const BACKLOG = 511
const EPERM = 1
const AF_INET = 2
const SIOCSIFFLAGS = 0x8914
const IFF_UP = 0x1
const IFF_RUNNING = 0x40

/** Switches the loopback interface of the thread's network namespace on. @returns false without the right to */
export function raiseLoopback(): boolean {
  const socket = syscall('socket', [AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0], 'loopback')
  try {
    const request = Buffer.alloc(40)
    request.write('lo', 'latin1')
    request.writeInt16LE(IFF_UP | IFF_RUNNING, 16)
    const result = trySyscall('ioctl', [socket, SIOCSIFFLAGS, request])
    if (result < 0 && result !== -EPERM) throw new SystemError(-result, 'ioctl', 'lo')
    return result >= 0
  } finally {
    closeSync(socket)
  }
}

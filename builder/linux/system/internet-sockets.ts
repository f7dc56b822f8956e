import { Buffer } from 'node:buffer'
import { closeSync } from 'node:fs'
import { constants } from 'node:os'
import { boundSocket, SOCK_DGRAM, SOCK_STREAM, unboundSocket } from './sockets.ts'
import { SystemError, syscall, trySyscall } from './syscalls.ts'

const AF_INET = 2
const AF_INET6 = 10

/**
 * Makes a socket with an address in the network of the calling thread; a stream socket does not listen yet.
 * `dgram` and `net` serve it by its descriptor, on any thread.
 */
export function bindInternetSocket(kind: 'udp' | 'tcp', address: string, port: number): number {
  const type = kind === 'udp' ? SOCK_DGRAM : SOCK_STREAM
  return boundSocket(type, socketAddress(address, port), `${kind} ${address} ${port}`)
}

/** The port that a bound socket has, which the kernel has chosen if it was bound to port 0. */
export function portOfSocket(socket: number): number {
  const name = Buffer.alloc(28)
  const length = Buffer.from(Uint32Array.of(name.length).buffer)
  syscall('getsockname', [socket, name, length], 'socket')
  return name.readUInt16BE(2)
}

/**
 * Makes a stream socket in the network of the calling thread, which is being connected when this returns: `net`
 * on any thread is told whether that succeeds.
 * @throws {SystemError} of what fails at once
 */
export function connectInternetSocket(address: string, port: number): number {
  const name = socketAddress(address, port)
  const subject = `tcp ${address} ${port}`
  const socket = unboundSocket(SOCK_STREAM, name.readUInt16LE(0), subject)
  const result = trySyscall('connect', [socket, name, name.length])
  if (result >= 0 || result === -constants.errno.EINPROGRESS) return socket
  closeSync(socket)
  throw new SystemError(-result, 'connect', subject)
}

/** `struct sockaddr_in` or `struct sockaddr_in6`. Spec: ip(7), ipv6(7) */
function socketAddress(address: string, port: number): Buffer {
  const isIPv6 = address.includes(':')
  const name = Buffer.alloc(isIPv6 ? 28 : 16)
  name.writeUInt16LE(isIPv6 ? AF_INET6 : AF_INET, 0)
  name.writeUInt16BE(port, 2)
  if (isIPv6) name.set(groupsOf(address), 8)
  else name.set(address.split('.').map(Number), 4)
  return name
}

/** The bytes of an IPv6 address without an IPv4 part. */
function groupsOf(address: string): Uint8Array {
  const [before = '', after = ''] = address.split('::')
  const bytesOf = (text: string): readonly number[] =>
    text === ''
      ? []
      : text.split(':').flatMap((group) => {
          const number = Number.parseInt(group, 16)
          return [number >> 8, number & 0xff]
        })
  const bytes = new Uint8Array(16)
  const end = bytesOf(after)
  bytes.set(bytesOf(before), 0)
  bytes.set(end, bytes.length - end.length)
  return bytes
}

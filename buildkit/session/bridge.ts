import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { makeSocketPair } from '#builder/linux'
import { ioError } from '#core'

/**
 * A socket that is joined to a stream: what either gets the other sends, and they end together. HTTP/2 in Node takes
 * other streams than sockets, too, but throws where nobody can catch it when one closes while streams are reset, and
 * misses what a socket has read before it takes it over.
 * @param bytes which belongs to the socket from now on
 * @throws {TsbuildError} IO_FAILED where there are no more descriptors; the stream is destroyed then
 */
export function socketFor(bytes: Duplex): Socket {
  bytes.on('error', () => undefined)
  let ends: readonly [number, number]
  try {
    ends = makeSocketPair()
  } catch (cause) {
    bytes.destroy()
    throw ioError('take the session of a client', cause)
  }
  const [near, far] = ends.map((fd) => new Socket({ fd, readable: true, writable: true }))
  if (near === undefined || far === undefined) throw new Error('a pair of sockets has two')
  far.on('error', () => undefined)
  bytes.pipe(far).pipe(bytes)
  bytes.once('close', () => far.destroy())
  far.once('close', () => bytes.destroy())
  return near
}

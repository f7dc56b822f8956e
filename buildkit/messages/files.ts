/** Folders that are sent. Spec: fsutil, types/wire.proto and types/stat.proto */
import type { Buffer } from 'node:buffer'
import type { Name } from '#core'
import { bytes, bytesMap, integer, type Message, message, name, nested, wide } from './wire.ts'

export interface FileStat {
  /** With slashes, from the folder that is sent. */
  readonly path: Name
  /** As Go has it: os.FileMode. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  /** Nanoseconds. */
  readonly modTime: bigint
  readonly linkname: Name
  readonly devmajor: number
  readonly devminor: number
  readonly xattrs: ReadonlyMap<string, Buffer>
}

export const FILE_STAT: Message<FileStat> = message({
  path: name(1),
  mode: integer(2),
  uid: integer(3),
  gid: integer(4),
  size: integer(5),
  modTime: wide(6),
  linkname: name(7),
  devmajor: integer(8),
  devminor: integer(9),
  xattrs: bytesMap(10),
})

export interface Packet {
  readonly type: number
  readonly stat: FileStat | undefined
  readonly ID: number
  readonly data: Buffer
}

export const PACKET: Message<Packet> = message({
  type: integer(1),
  stat: nested(2, FILE_STAT),
  ID: integer(3),
  data: bytes(4),
})

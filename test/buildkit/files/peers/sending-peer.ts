import {
  type BigIntStats,
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs'
import { listXattrs } from '#builder/linux'
import { type Draft, type FileStat, PACKET, type Packet } from '#buildkit/messages'
import { type Name, nameFromBytes } from '#core'
import type { PacketStream } from '../../../../buildkit/files/packets/packet-stream.ts'

/** Kinds of packets, and bits of Go's modes, as the protocol has them. */
export const STAT = 0
export const REQUEST = 1
export const DATA = 2
export const FINISH = 3
export const FAILURE = 4
export const GO_FOLDER = 0x8000_0000
export const GO_LINK = 0x0800_0000
export const GO_DEVICE = 0x0400_0000
export const GO_PIPE = 0x0200_0000
export const GO_SOCKET = 0x0100_0000
const GO_CHARACTERS = 0x0020_0000
const GO_KINDS = 0x8f28_0000
const CONTENT_BYTES = 32 * 1024

/** All that a client of today would say of a folder, with everything belonging to root. */
export function* statsOf(folder: string): Generator<FileStat> {
  const seen = new Map<bigint, Name>()
  yield* below(folder, '' as Name)

  function* below(root: string, parent: Name): Generator<FileStat> {
    const at = (path: Name): Buffer =>
      Buffer.from(`${nameFromBytes(Buffer.from(root))}/${path}`, 'latin1')
    const names = readdirSync(at(parent), { encoding: 'buffer' }).sort(Buffer.compare)
    for (const bytes of names) {
      const name = nameFromBytes(bytes)
      const path = (parent === '' ? name : `${parent}/${name}`) as Name
      const stats = lstatSync(at(path), { bigint: true })
      yield statOf(at(path), path, { stats, seen })
      if (stats.isDirectory()) yield* below(root, path)
    }
  }
}

function statOf(
  place: Buffer,
  path: Name,
  { stats, seen }: { readonly stats: BigIntStats; readonly seen: Map<bigint, Name> },
): FileStat {
  const earlier = stats.isDirectory() || stats.nlink === 1n ? undefined : seen.get(stats.ino)
  if (!stats.isDirectory() && earlier === undefined) seen.set(stats.ino, path)
  const isDevice = stats.isBlockDevice() || stats.isCharacterDevice()
  return {
    path,
    mode: goMode(stats),
    uid: 0,
    gid: 0,
    size: stats.isDirectory() ? 0 : Number(stats.size),
    modTime: stats.mtimeNs,
    linkname: stats.isSymbolicLink()
      ? nameFromBytes(readlinkSync(place, { encoding: 'buffer' }))
      : (earlier ?? ('' as Name)),
    devmajor: isDevice ? Number((stats.rdev >> 8n) & 0xfffn) : 0,
    devminor: isDevice ? Number((stats.rdev & 0xffn) | ((stats.rdev >> 12n) & 0xfff00n)) : 0,
    xattrs: listXattrs(place),
  }
}

function goMode(stats: BigIntStats): number {
  const mode = Number(stats.mode)
  let go = mode & 0o777
  if ((mode & 0o4000) !== 0) go += 0x0080_0000
  if ((mode & 0o2000) !== 0) go += 0x0040_0000
  if ((mode & 0o1000) !== 0) go += 0x0010_0000
  if (stats.isDirectory()) go += GO_FOLDER
  if (stats.isSymbolicLink()) go += GO_LINK
  if (stats.isFIFO()) go += GO_PIPE
  if (stats.isBlockDevice()) go += GO_DEVICE
  if (stats.isCharacterDevice()) go += GO_DEVICE + GO_CHARACTERS
  return go
}

/** What happened to a sender. */
export interface Sent {
  /** Paths of the files that were asked for, in that order. */
  readonly requested: Name[]
  /** What the receiver failed with. */
  failure: string | undefined
  isFinished: boolean
}

/** How a sender behaves. */
export interface SendingOptions {
  /** Files that are sent at once; BuildKit: 4. */
  readonly atOnce?: number
  /** Called before a packet is sent. */
  readonly onPacket?: (packet: Draft<Packet>, count: number) => void
}

/** Sends a folder as fsutil does: entries, and contents of several files at a time. */
export async function sendAsClient(
  stream: PacketStream,
  folder: string,
  { atOnce = 4, onPacket }: SendingOptions = {},
): Promise<Sent> {
  const sent: Sent = { requested: [], failure: undefined, isFinished: false }
  const paths = new Map<number, Name>()
  const queue: number[] = []
  let count = 0
  let over = false
  let changed = Promise.withResolvers<void>()
  const send = async (packet: Draft<Packet>): Promise<void> => {
    onPacket?.(packet, count++)
    await stream.send(PACKET.encode(packet))
  }
  const walk = async (): Promise<void> => {
    let id = 0
    for (const stat of statsOf(folder)) {
      if ((stat.mode & GO_KINDS) === 0) paths.set(id, stat.path)
      id++
      await send({ type: STAT, stat })
    }
    await send({ type: STAT })
  }
  const hear = async (): Promise<void> => {
    for await (const message of stream.messages) {
      const { type, ID, data } = PACKET.decode(message)
      if (type === FAILURE) {
        sent.failure = data.toString()
        break
      }
      if (type === FINISH) {
        sent.isFinished = true
        await send({ type: FINISH })
        break
      }
      const path = paths.get(ID)
      if (type !== REQUEST || path === undefined) throw new Error(`packet ${type} of ${ID}`)
      paths.delete(ID)
      sent.requested.push(path)
      queue.push(ID)
      contents.set(ID, path)
      change()
    }
    over = true
    change()
  }
  const contents = new Map<number, Name>()
  const change = (): void => {
    changed.resolve()
    changed = Promise.withResolvers<void>()
  }
  const answer = async (): Promise<void> => {
    for (;;) {
      const id = queue.shift()
      if (id !== undefined)
        await sendContent(folder, contents.get(id) ?? ('' as Name), { id, send })
      else if (over) return
      else await changed.promise
    }
  }
  await Promise.all([walk(), hear(), ...Array.from({ length: atOnce }, answer)])
  stream.end()
  return sent
}

async function sendContent(
  folder: string,
  path: Name,
  { id, send }: { readonly id: number; readonly send: (packet: Draft<Packet>) => Promise<void> },
): Promise<void> {
  const root = nameFromBytes(Buffer.from(folder))
  const descriptor = openSync(Buffer.from(`${root}/${path}`, 'latin1'), 'r')
  try {
    for (;;) {
      const data = Buffer.alloc(CONTENT_BYTES)
      const length = readSync(descriptor, data)
      if (length === 0) break
      await send({ type: DATA, ID: id, data: data.subarray(0, length) })
    }
  } finally {
    closeSync(descriptor)
  }
  await send({ type: DATA, ID: id })
}

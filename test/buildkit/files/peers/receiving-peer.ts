import { type Draft, type FileStat, PACKET, type Packet } from '#buildkit/messages'
import type { PacketStream } from '../../../../buildkit/files/packets/packet-stream.ts'
import { DATA, FAILURE, FINISH, REQUEST, STAT } from './sending-peer.ts'

const GO_KINDS = 0x8f28_0000

/** What a receiver has got. */
export interface Received {
  readonly stats: readonly FileStat[]
  /** Contents by their numbers. */
  readonly contents: ReadonlyMap<number, Buffer>
  /** Bytes of the largest packet of content. */
  readonly largest: number
  /** What the sender failed with. */
  readonly failure: string | undefined
  readonly isFinished: boolean
}

/** How a receiver behaves. */
export interface ReceivingOptions {
  /** Whether a file is asked for; default: all that can be, but further names of one. */
  readonly wants?: (stat: FileStat) => boolean
  /** What is said when the last entry has come, before anything is asked for. */
  readonly says?: readonly Draft<Packet>[]
  /** Said at once. */
  readonly saysFirst?: readonly Draft<Packet>[]
}

/** Receives a folder as fsutil does. */
export async function receiveAsClient(
  stream: PacketStream,
  { wants = isFirstName, says = [], saysFirst = [] }: ReceivingOptions = {},
): Promise<Received> {
  const stats: FileStat[] = []
  const parts = new Map<number, Buffer[]>()
  const awaited = new Set<number>()
  let largest = 0
  let isLast = false
  let failure: string | undefined
  let isFinished = false
  const send = (packet: Draft<Packet>): Promise<void> => stream.send(PACKET.encode(packet))
  for (const packet of saysFirst) await send(packet)
  for await (const message of stream.messages) {
    const { type, stat, ID, data } = PACKET.decode(message)
    if (type === STAT && stat !== undefined) {
      const id = stats.push(stat) - 1
      if ((stat.mode & GO_KINDS) !== 0 || !wants(stat)) continue
      awaited.add(id)
      await send({ type: REQUEST, ID: id })
    } else if (type === STAT) {
      isLast = true
      for (const packet of says) await send(packet)
    } else if (type === DATA) {
      if (!awaited.has(ID)) throw new Error(`content of ${ID}`)
      largest = Math.max(largest, data.length)
      parts.set(ID, [...(parts.get(ID) ?? []), data])
      if (data.length === 0) awaited.delete(ID)
    } else if (type === FAILURE) failure = data.toString()
    else if (type === FINISH) isFinished = true
    if (isLast && awaited.size === 0 && type !== FINISH && failure === undefined) {
      await send({ type: FINISH })
      isLast = false
    }
  }
  stream.end()
  const contents = new Map([...parts].map(([id, pieces]) => [id, Buffer.concat(pieces)]))
  return { stats, contents, largest, failure, isFinished }
}

function isFirstName({ linkname }: FileStat): boolean {
  return linkname === ''
}

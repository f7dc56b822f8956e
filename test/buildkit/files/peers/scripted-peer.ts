import { Buffer } from 'node:buffer'
import { type Draft, type FileStat, PACKET, type Packet } from '#buildkit/messages'
import { nameOf } from '#core'
import type { PacketStream } from '../../../../buildkit/files/packets/packet-stream.ts'
import { DATA, FAILURE, FINISH, GO_FOLDER, GO_LINK, REQUEST, STAT } from './sending-peer.ts'

/** What a peer does: it sends a packet, or bytes, or waits for a packet of a kind. */
export type Step = Draft<Packet> | Buffer | 'request' | 'finish'

/** The last entry was sent. */
export const END: Draft<Packet> = { type: STAT }
export const FIN: Draft<Packet> = { type: FINISH }

/** An entry of a folder; times and owners are all the same. */
export function entry(path: string, stat: Draft<FileStat>): Draft<Packet> {
  return { type: STAT, stat: { path: nameOf(path), modTime: 10n ** 18n, ...stat } }
}

export function file(path: string, size: number, stat: Draft<FileStat> = {}): Draft<Packet> {
  return entry(path, { mode: 0o644, size, ...stat })
}

export function folder(path: string): Draft<Packet> {
  return entry(path, { mode: GO_FOLDER + 0o755 })
}

export function link(path: string, target: string): Draft<Packet> {
  return entry(path, { mode: GO_LINK + 0o777, linkname: nameOf(target) })
}

export function hardlink(path: string, target: string, size = 0): Draft<Packet> {
  return file(path, size, { linkname: nameOf(target) })
}

export function data(ID: number, content: string | Buffer): Draft<Packet> {
  return { type: DATA, ID, data: Buffer.from(content as string) }
}

/** What a peer has heard, besides requests. */
export interface Heard {
  readonly requested: readonly number[]
  readonly failure: string | undefined
}

/** Does the steps, as far as the other end lets it, and hears what that says. */
export async function follow(stream: PacketStream, steps: readonly Step[]): Promise<Heard> {
  const requested: number[] = []
  let failure: string | undefined
  let finishes = 0
  let changed = Promise.withResolvers<void>()
  let isOver = false
  const hear = async (): Promise<void> => {
    for await (const message of stream.messages) {
      const { type, ID, data } = PACKET.decode(message)
      if (type === REQUEST) requested.push(ID)
      if (type === FINISH) finishes++
      if (type === FAILURE) failure = data.toString()
      changed.resolve()
      changed = Promise.withResolvers<void>()
    }
    isOver = true
    changed.resolve()
  }
  const heard = hear()
  let awaited = 0
  for (const step of steps) {
    if (step === 'request') awaited++
    const isThere = (): boolean =>
      step === 'finish' ? finishes > 0 : step !== 'request' || requested.length >= awaited
    while (!isThere() && failure === undefined && !isOver) await changed.promise
    if (failure !== undefined || isOver) break
    if (Buffer.isBuffer(step)) await stream.send(step)
    else if (typeof step !== 'string') await stream.send(PACKET.encode(step))
  }
  stream.end()
  await heard
  return { requested, failure }
}

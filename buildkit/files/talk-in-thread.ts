import { breakRing, originalFailure, type Ring } from '#builder/threads'
import { throwIfCancelled } from '#core'
import { ArrivingPackets } from './channel/arriving-packets.ts'
import { DepartingPackets } from './channel/departing-packets.ts'
import type { PacketStream } from './packets/packet-stream.ts'
import type { ThreadRings } from './packets/thread-rings.ts'
import type { TransferPool } from './transfer-pool.ts'

/** How a thread talks with a peer. */
export interface TalkOptions {
  readonly perform: (rings: ThreadRings, signal: AbortSignal | undefined) => Promise<void>
  readonly signal: AbortSignal | undefined
  /** Called with the sizes of packets that have come. */
  readonly onArrived?: ((count: number) => void) | undefined
  /** Called with the sizes of packets that have gone. */
  readonly onSent?: ((count: number) => void) | undefined
}

const DOING = 'transfer a folder'
/** Milliseconds in which a peer takes the last packets, or never. */
const LAST_WORDS_MILLISECONDS = 500

/**
 * Has a thread talk with a peer. No thread waits for a peer that is silent longer than until the transfer is cancelled.
 * @throws what the thread fails with, else what the stream does
 */
export function talkInThread(
  pool: TransferPool,
  stream: PacketStream,
  options: TalkOptions,
): Promise<void> {
  const talk = (inbound: Ring, outbound: Ring): Promise<void> =>
    talkThrough({ inbound, outbound }, stream, options)
  return pool.withRing((inbound) => pool.withRing((outbound) => talk(inbound, outbound)))
}

async function talkThrough(
  rings: ThreadRings,
  stream: PacketStream,
  { perform, signal, onArrived, onSent }: TalkOptions,
): Promise<void> {
  throwIfCancelled(signal, DOING)
  const arriving = new ArrivingPackets(stream, rings.inbound, onArrived ?? ignore)
  const departing = new DepartingPackets(stream, rings.outbound, onSent ?? ignore)
  const hangUp = (): void => {
    breakRing(rings.inbound)
    breakRing(rings.outbound)
  }
  // What the thread says to it is still sent.
  void arriving.run(() => breakRing(rings.inbound))
  const departed = departing.run(hangUp)
  const [performed] = await Promise.allSettled([perform(rings, signal).finally(hangUp)])
  await arriving.close()
  // A peer that has ended has heard what counts; of a failure it is told, if it listens.
  await atMost(LAST_WORDS_MILLISECONDS, departed)
  departing.close()
  const thread = performed.status === 'rejected' ? [performed.reason] : []
  const failures = [...thread, arriving.failure, departing.failure].filter(
    (failure) => failure !== undefined,
  )
  if (failures.length === 0) return
  throwIfCancelled(signal, DOING)
  throw originalFailure(failures)
}

async function atMost(milliseconds: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  await Promise.race([work, promise])
  clearTimeout(timer)
}

function ignore(): void {
  // Nothing is counted.
}

import { breakRing, streamRing } from '#builder/threads'
import { type Draft, PACKET, type Packet } from '#buildkit/messages'
import { TsbuildError } from '#core'
import { MessageReader, MessageWriter } from '../packets/messages-in-ring.ts'
import { PACKET_TYPE } from '../packets/packet-stream.ts'
import type { ThreadRings, TransferTask } from '../packets/thread-rings.ts'
import { protocolError, textForPeer } from '../packets/transfer-error.ts'
import { FolderSender } from './folder-sender.ts'

/** Sends a folder. @throws {TsbuildError} */
export async function sendPackets({ folder, inbound, outbound }: TransferTask): Promise<void> {
  const writer = new MessageWriter(outbound)
  const send = async (packet: Draft<Packet>): Promise<void> => {
    if (await writer.write(PACKET.encode(packet))) return
    throw new TsbuildError('the receiver of a folder is gone', { code: 'PEER_GONE' })
  }
  let isEnded = false
  let heard = Promise.resolve()
  using sender = new FolderSender(folder, { send, flush: () => writer.flush() })
  try {
    heard = hear({ inbound, outbound }, sender)
    await sender.run()
    isEnded = true
    await writer.end()
    await heard
    if (sender.failure !== undefined) throw sender.failure
  } catch (cause) {
    const failure = sender.failure ?? cause
    if (!isEnded) await sayGoodbye(send, writer, textForPeer(failure))
    throw failure
  } finally {
    // The ring will serve another transfer, which must be the only one that reads it.
    breakRing(inbound)
    await heard
  }
}

/** Takes all that the peer says. Never rejects. */
async function hear({ inbound, outbound }: ThreadRings, sender: FolderSender): Promise<void> {
  const reader = new MessageReader()
  try {
    for await (const piece of streamRing(inbound)) {
      for (const message of reader.take(piece)) sender.take(message)
    }
    if (!sender.isFinished) throw protocolError('the stream ends before it is complete')
  } catch (cause) {
    sender.fail(cause)
    // What waits for the peer to take more, waits no longer.
    breakRing(outbound)
  }
}

/** Tells the peer of a failure, where it still listens. */
async function sayGoodbye(
  send: (packet: Draft<Packet>) => Promise<void>,
  writer: MessageWriter,
  text: string,
): Promise<void> {
  try {
    await send({ type: PACKET_TYPE.error, data: Buffer.from(text) })
    await writer.end()
  } catch {
    // The failure that came first says more.
  }
}

import { readRing } from '#builder/threads'
import { PACKET } from '#buildkit/messages'
import { MessageReader, MessageWriter } from '../packets/messages-in-ring.ts'
import { PACKET_TYPE } from '../packets/packet-stream.ts'
import type { TransferTask } from '../packets/thread-rings.ts'
import { textForPeer } from '../packets/transfer-error.ts'
import { FolderReceiver } from './folder-receiver.ts'
import { MemoryBound } from './memory-bound.ts'

/** A folder that is received. */
export interface ReceiveTask extends TransferTask {
  /** Bytes that are kept in mind at most. */
  readonly mostKept: number | undefined
}

/** Receives a folder. @throws {TsbuildError} */
export function receivePackets({ folder, mostKept, inbound, outbound }: ReceiveTask): void {
  const writer = new MessageWriter(outbound)
  let isEnded = false
  try {
    using receiver = new FolderReceiver(folder, {
      send: (packet) => writer.writeSync(PACKET.encode(packet)),
      bound: new MemoryBound(mostKept),
    })
    const reader = new MessageReader()
    for (const piece of readRing(inbound)) {
      for (const message of reader.take(piece)) receiver.take(message)
      if (isEnded) continue
      writer.flush()
      if (receiver.isFinished) {
        isEnded = true
        writer.endSync()
      }
    }
    receiver.end()
  } catch (cause) {
    if (!isEnded) sayGoodbye(writer, cause)
    throw cause
  }
}

/** Tells the peer of a failure, where it still listens. */
function sayGoodbye(writer: MessageWriter, failure: unknown): void {
  try {
    const data = Buffer.from(textForPeer(failure))
    writer.writeSync(PACKET.encode({ type: PACKET_TYPE.error, data }))
    writer.endSync()
  } catch {
    // The failure that came first says more.
  }
}

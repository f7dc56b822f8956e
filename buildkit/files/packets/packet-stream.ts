/** How folders go from one machine to another. Spec: fsutil, receive.go and types/wire.proto */

/** A connection to the peer of a transfer, over which encoded packets go both ways. */
export interface PacketStream {
  /** @returns when the peer is ready for more */
  send(message: Uint8Array): Promise<void>
  /** No more will be sent. */
  end(): void
  /** Encoded packets; throws when the peer fails. */
  readonly messages: AsyncIterable<Buffer>
}

/** Kinds of packets. */
export const PACKET_TYPE = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const

/** Bytes of a packet: gRPC of BuildKit takes no more. */
export const MOST_PACKET_BYTES: number = 16 * 1024 * 1024

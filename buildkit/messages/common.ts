import type { Buffer } from 'node:buffer'
import { bytes, integer, list, type Message, message, string } from './wire.ts'

/** A time. Spec: google.protobuf.Timestamp */
export interface Timestamp {
  readonly seconds: number
  readonly nanos: number
}

export const TIMESTAMP: Message<Timestamp> = message({
  seconds: integer(1),
  nanos: integer(2),
})

/** A message with the name of its type. Spec: google.protobuf.Any */
export interface AnyMessage {
  readonly type_url: string
  readonly value: Buffer
}

const ANY_MESSAGE: Message<AnyMessage> = message({
  type_url: string(1),
  value: bytes(2),
})

/** How a call has failed. Spec: google.rpc.Status */
export interface RpcStatus {
  readonly code: number
  readonly message: string
  readonly details: readonly AnyMessage[]
}

export const RPC_STATUS: Message<RpcStatus> = message({
  code: integer(1),
  message: string(2),
  details: list(3, ANY_MESSAGE),
})

/** A message without fields, or one of which nothing is read. */
export const EMPTY: Message<object> = message<object>({})

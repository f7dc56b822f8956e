/** A store of blobs. Spec: containerd, api/services/content/v1/content.proto */
import type { Buffer } from 'node:buffer'
import { bytes, integer, type Message, message, nested, string, stringMap } from './wire.ts'

export interface ContentInfo {
  readonly digest: string
  readonly size: number
  readonly labels: ReadonlyMap<string, string>
}

const CONTENT_INFO: Message<ContentInfo> = message({
  digest: string(1),
  size: integer(2),
  labels: stringMap(5),
})

export interface ContentInfoRequest {
  readonly digest: string
}

export const CONTENT_INFO_REQUEST: Message<ContentInfoRequest> = message({
  digest: string(1),
})

export interface ContentInfoResponse {
  readonly info: ContentInfo | undefined
}

export const CONTENT_INFO_RESPONSE: Message<ContentInfoResponse> = message({
  info: nested(1, CONTENT_INFO),
})

export interface ReadContentRequest {
  readonly digest: string
  readonly offset: number
  /** 0: all of it. */
  readonly size: number
}

export const READ_CONTENT_REQUEST: Message<ReadContentRequest> = message({
  digest: string(1),
  offset: integer(2),
  size: integer(3),
})

export interface ReadContentResponse {
  readonly offset: number
  readonly data: Buffer
}

export const READ_CONTENT_RESPONSE: Message<ReadContentResponse> = message({
  offset: integer(1),
  data: bytes(2),
})

/** What a piece of a blob that is written is to do. */
export const WRITE_ACTIONS = { stat: 0, write: 1, commit: 2 } as const

export interface WriteContentRequest {
  /** One of `WRITE_ACTIONS`. */
  readonly action: number
  /** What is being written, until it is committed. */
  readonly ref: string
  readonly total: number
  readonly expected: string
  readonly offset: number
  readonly data: Buffer
  readonly labels: ReadonlyMap<string, string>
}

export const WRITE_CONTENT_REQUEST: Message<WriteContentRequest> = message({
  action: integer(1),
  ref: string(2),
  total: integer(3),
  expected: string(4),
  offset: integer(5),
  data: bytes(6),
  labels: stringMap(7),
})

export interface WriteContentResponse {
  readonly action: number
  /** Bytes that were written so far. */
  readonly offset: number
  readonly total: number
  readonly digest: string
}

export const WRITE_CONTENT_RESPONSE: Message<WriteContentResponse> = message({
  action: integer(1),
  offset: integer(4),
  total: integer(5),
  digest: string(6),
})

export interface AbortRequest {
  readonly ref: string
}

export const ABORT_REQUEST: Message<AbortRequest> = message({
  ref: string(1),
})

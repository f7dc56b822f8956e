/** How a build goes on. Spec: BuildKit, api/services/control/control.proto */
import type { Buffer } from 'node:buffer'
import { TIMESTAMP, type Timestamp } from './common.ts'
import {
  PROGRESS_GROUP,
  type ProgressGroup,
  RANGE,
  type Range,
  SOURCE_INFO,
  type SourceInfo,
} from './llb.ts'
import {
  boolean,
  byteList,
  bytes,
  integer,
  list,
  type Message,
  message,
  nested,
  string,
  strings,
} from './wire.ts'

export interface Vertex {
  readonly digest: string
  readonly inputs: readonly string[]
  readonly name: string
  readonly cached: boolean
  readonly started: Timestamp | undefined
  readonly completed: Timestamp | undefined
  readonly error: string
  readonly progressGroup: ProgressGroup | undefined
}

const VERTEX: Message<Vertex> = message({
  digest: string(1),
  inputs: strings(2),
  name: string(3),
  cached: boolean(4),
  started: nested(5, TIMESTAMP),
  completed: nested(6, TIMESTAMP),
  error: string(7),
  progressGroup: nested(8, PROGRESS_GROUP),
})

export interface VertexStatus {
  readonly ID: string
  readonly vertex: string
  readonly name: string
  readonly current: number
  readonly total: number
  readonly timestamp: Timestamp | undefined
  readonly started: Timestamp | undefined
  readonly completed: Timestamp | undefined
}

const VERTEX_STATUS: Message<VertexStatus> = message({
  ID: string(1),
  vertex: string(2),
  name: string(3),
  current: integer(4),
  total: integer(5),
  timestamp: nested(6, TIMESTAMP),
  started: nested(7, TIMESTAMP),
  completed: nested(8, TIMESTAMP),
})

export interface VertexLog {
  readonly vertex: string
  readonly timestamp: Timestamp | undefined
  /** 1: output, 2: errors */
  readonly stream: number
  readonly msg: Buffer
}

const VERTEX_LOG: Message<VertexLog> = message({
  vertex: string(1),
  timestamp: nested(2, TIMESTAMP),
  stream: integer(3),
  msg: bytes(4),
})

export interface VertexWarning {
  readonly vertex: string
  readonly level: number
  readonly short: Buffer
  readonly detail: readonly Buffer[]
  readonly url: string
  readonly info: SourceInfo | undefined
  readonly ranges: readonly Range[]
}

const VERTEX_WARNING: Message<VertexWarning> = message({
  vertex: string(1),
  level: integer(2),
  short: bytes(3),
  detail: byteList(4),
  url: string(5),
  info: nested(6, SOURCE_INFO),
  ranges: list(7, RANGE),
})

export interface StatusResponse {
  readonly vertexes: readonly Vertex[]
  readonly statuses: readonly VertexStatus[]
  readonly logs: readonly VertexLog[]
  readonly warnings: readonly VertexWarning[]
}

export const STATUS_RESPONSE: Message<StatusResponse> = message({
  vertexes: list(1, VERTEX),
  statuses: list(2, VERTEX_STATUS),
  logs: list(3, VERTEX_LOG),
  warnings: list(4, VERTEX_WARNING),
})

export interface StatusRequest {
  readonly Ref: string
}

export const STATUS_REQUEST: Message<StatusRequest> = message({
  Ref: string(1),
})

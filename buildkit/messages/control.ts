/** Requests of clients. Spec: BuildKit, api/services/control/control.proto */
import type { Buffer } from 'node:buffer'
import { TIMESTAMP, type Timestamp } from './common.ts'
import { DEFINITION, type Definition } from './llb.ts'
import { SOURCE_POLICY, type SourcePolicy } from './policy.ts'
import {
  boolean,
  bytes,
  integer,
  list,
  type Message,
  message,
  messageMap,
  nested,
  string,
  stringMap,
  strings,
} from './wire.ts'
import {
  BUILDKIT_VERSION,
  type BuildkitVersion,
  WORKER_RECORD,
  type WorkerRecord,
} from './workers.ts'

export interface BytesMessage {
  readonly data: Buffer
}

export const BYTES_MESSAGE: Message<BytesMessage> = message({
  data: bytes(1),
})

export interface Exporter {
  readonly Type: string
  readonly Attrs: ReadonlyMap<string, string>
}

const EXPORTER: Message<Exporter> = message({
  Type: string(1),
  Attrs: stringMap(2),
})

export interface CacheOptionsEntry {
  readonly Type: string
  readonly Attrs: ReadonlyMap<string, string>
}

export const CACHE_OPTIONS_ENTRY: Message<CacheOptionsEntry> = message({
  Type: string(1),
  Attrs: stringMap(2),
})

export interface CacheOptions {
  readonly ExportRefDeprecated: string
  readonly ImportRefsDeprecated: readonly string[]
  readonly ExportAttrsDeprecated: ReadonlyMap<string, string>
  readonly Exports: readonly CacheOptionsEntry[]
  readonly Imports: readonly CacheOptionsEntry[]
}

const CACHE_OPTIONS: Message<CacheOptions> = message({
  ExportRefDeprecated: string(1),
  ImportRefsDeprecated: strings(2),
  ExportAttrsDeprecated: stringMap(3),
  Exports: list(4, CACHE_OPTIONS_ENTRY),
  Imports: list(5, CACHE_OPTIONS_ENTRY),
})

export interface SolveRequest {
  readonly Ref: string
  readonly Definition: Definition | undefined
  readonly ExporterDeprecated: string
  readonly ExporterAttrsDeprecated: ReadonlyMap<string, string>
  readonly Session: string
  readonly Frontend: string
  readonly FrontendAttrs: ReadonlyMap<string, string>
  readonly Cache: CacheOptions | undefined
  readonly Entitlements: readonly string[]
  readonly FrontendInputs: ReadonlyMap<string, Definition>
  readonly Internal: boolean
  readonly SourcePolicy: SourcePolicy | undefined
  readonly Exporters: readonly Exporter[]
  readonly EnableSessionExporter: boolean
  readonly SourcePolicySession: string
  readonly CompatibilityVersion: number
  readonly ProxyNetwork: boolean
}

export const SOLVE_REQUEST: Message<SolveRequest> = message({
  Ref: string(1),
  Definition: nested(2, DEFINITION),
  ExporterDeprecated: string(3),
  ExporterAttrsDeprecated: stringMap(4),
  Session: string(5),
  Frontend: string(6),
  FrontendAttrs: stringMap(7),
  Cache: nested(8, CACHE_OPTIONS),
  Entitlements: strings(9),
  FrontendInputs: messageMap(10, DEFINITION),
  Internal: boolean(11),
  SourcePolicy: nested(12, SOURCE_POLICY),
  Exporters: list(13, EXPORTER),
  EnableSessionExporter: boolean(14),
  SourcePolicySession: string(15),
  CompatibilityVersion: integer(16),
  ProxyNetwork: boolean(17),
})

export interface SolveResponse {
  readonly ExporterResponse: ReadonlyMap<string, string>
}

export const SOLVE_RESPONSE: Message<SolveResponse> = message({
  ExporterResponse: stringMap(1),
})

export interface ListWorkersRequest {
  readonly filter: readonly string[]
}

export const LIST_WORKERS_REQUEST: Message<ListWorkersRequest> = message({
  filter: strings(1),
})

export interface ListWorkersResponse {
  readonly record: readonly WorkerRecord[]
}

export const LIST_WORKERS_RESPONSE: Message<ListWorkersResponse> = message({
  record: list(1, WORKER_RECORD),
})

export interface InfoResponse {
  readonly buildkitVersion: BuildkitVersion | undefined
}

export const INFO_RESPONSE: Message<InfoResponse> = message({
  buildkitVersion: nested(1, BUILDKIT_VERSION),
})

export interface DiskUsageRequest {
  readonly filter: readonly string[]
  readonly ageLimit: number
}

export const DISK_USAGE_REQUEST: Message<DiskUsageRequest> = message({
  filter: strings(1),
  ageLimit: integer(2),
})

export interface UsageRecord {
  readonly ID: string
  readonly Mutable: boolean
  readonly InUse: boolean
  readonly Size: number
  readonly Parent: string
  readonly CreatedAt: Timestamp | undefined
  readonly LastUsedAt: Timestamp | undefined
  readonly UsageCount: number
  readonly Description: string
  readonly RecordType: string
  readonly Shared: boolean
  readonly Parents: readonly string[]
}

export const USAGE_RECORD: Message<UsageRecord> = message({
  ID: string(1),
  Mutable: boolean(2),
  InUse: boolean(3),
  Size: integer(4),
  Parent: string(5),
  CreatedAt: nested(6, TIMESTAMP),
  LastUsedAt: nested(7, TIMESTAMP),
  UsageCount: integer(8),
  Description: string(9),
  RecordType: string(10),
  Shared: boolean(11),
  Parents: strings(12),
})

export interface DiskUsageResponse {
  readonly record: readonly UsageRecord[]
}

export const DISK_USAGE_RESPONSE: Message<DiskUsageResponse> = message({
  record: list(1, USAGE_RECORD),
})

export interface PruneRequest {
  readonly filter: readonly string[]
  readonly all: boolean
  readonly keepDuration: number
  readonly reservedSpace: number
  readonly maxUsedSpace: number
  readonly minFreeSpace: number
}

export const PRUNE_REQUEST: Message<PruneRequest> = message({
  filter: strings(1),
  all: boolean(2),
  keepDuration: integer(3),
  reservedSpace: integer(4),
  maxUsedSpace: integer(5),
  minFreeSpace: integer(6),
})

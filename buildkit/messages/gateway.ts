/** A build as its frontend sees it. Spec: BuildKit, frontend/gateway/pb/gateway.proto */
import type { Buffer } from 'node:buffer'
import { RPC_STATUS, type RpcStatus } from './common.ts'
import { CACHE_OPTIONS_ENTRY, type CacheOptionsEntry } from './control.ts'
import { FILE_STAT, type FileStat } from './files.ts'
import {
  DEFINITION,
  type Definition,
  PLATFORM,
  type Platform,
  RANGE,
  type Range,
  SOURCE_INFO,
  type SourceInfo,
} from './llb.ts'
import { SOURCE_POLICY, type SourcePolicy } from './policy.ts'
import {
  boolean,
  byteList,
  bytes,
  bytesMap,
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
import { API_CAP, type ApiCap, WORKER_RECORD, type WorkerRecord } from './workers.ts'

/** A result, or a part of one. */
export interface Ref {
  readonly id: string
  readonly def: Definition | undefined
}

const REF: Message<Ref> = message({
  id: string(1),
  def: nested(2, DEFINITION),
})

export interface RefMap {
  readonly refs: ReadonlyMap<string, Ref>
}

const REF_MAP: Message<RefMap> = message({
  refs: messageMap(1, REF),
})

export interface RefMapDeprecated {
  readonly refs: ReadonlyMap<string, string>
}

const REF_MAP_DEPRECATED: Message<RefMapDeprecated> = message({
  refs: stringMap(1),
})

export interface InTotoSubject {
  readonly kind: number
  readonly digest: readonly string[]
  readonly name: string
}

const IN_TOTO_SUBJECT: Message<InTotoSubject> = message({
  kind: integer(1),
  digest: strings(2),
  name: string(3),
})

export interface Attestation {
  readonly kind: number
  readonly metadata: ReadonlyMap<string, Buffer>
  readonly ref: Ref | undefined
  readonly path: string
  readonly inTotoPredicateType: string
  readonly inTotoSubjects: readonly InTotoSubject[]
}

const ATTESTATION: Message<Attestation> = message({
  kind: integer(1),
  metadata: bytesMap(2),
  ref: nested(3, REF),
  path: string(4),
  inTotoPredicateType: string(5),
  inTotoSubjects: list(6, IN_TOTO_SUBJECT),
})

export interface Attestations {
  readonly attestation: readonly Attestation[]
}

const ATTESTATIONS: Message<Attestations> = message({
  attestation: list(1, ATTESTATION),
})

/** One of the first four. */
export interface Result {
  readonly refDeprecated: string
  readonly refsDeprecated: RefMapDeprecated | undefined
  readonly ref: Ref | undefined
  readonly refs: RefMap | undefined
  readonly metadata: ReadonlyMap<string, Buffer>
  readonly attestations: ReadonlyMap<string, Attestations>
}

const RESULT: Message<Result> = message({
  refDeprecated: string(1),
  refsDeprecated: nested(2, REF_MAP_DEPRECATED),
  ref: nested(3, REF),
  refs: nested(4, REF_MAP),
  metadata: bytesMap(10),
  attestations: messageMap(12, ATTESTATIONS),
})

export interface ReturnRequest {
  readonly result: Result | undefined
  readonly error: RpcStatus | undefined
}

export const RETURN_REQUEST: Message<ReturnRequest> = message({
  result: nested(1, RESULT),
  error: nested(2, RPC_STATUS),
})

export interface InputsResponse {
  readonly Definitions: ReadonlyMap<string, Definition>
}

export const INPUTS_RESPONSE: Message<InputsResponse> = message({
  Definitions: messageMap(1, DEFINITION),
})

export interface ResolveImageConfigRequest {
  readonly Ref: string
  readonly Platform: Platform | undefined
  readonly ResolveMode: string
  readonly LogName: string
  readonly ResolverType: number
  readonly SessionID: string
  readonly StoreID: string
  readonly SourcePolicies: readonly SourcePolicy[]
}

export const RESOLVE_IMAGE_CONFIG_REQUEST: Message<ResolveImageConfigRequest> = message({
  Ref: string(1),
  Platform: nested(2, PLATFORM),
  ResolveMode: string(3),
  LogName: string(4),
  ResolverType: integer(5),
  SessionID: string(6),
  StoreID: string(7),
  SourcePolicies: list(8, SOURCE_POLICY),
})

export interface ResolveImageConfigResponse {
  readonly Digest: string
  readonly Config: Buffer
  readonly Ref: string
}

export const RESOLVE_IMAGE_CONFIG_RESPONSE: Message<ResolveImageConfigResponse> = message({
  Digest: string(1),
  Config: bytes(2),
  Ref: string(3),
})

export interface GatewaySolveRequest {
  readonly Definition: Definition | undefined
  readonly Frontend: string
  readonly FrontendOpt: ReadonlyMap<string, string>
  readonly allowResultReturn: boolean
  readonly allowResultArrayRef: boolean
  readonly Final: boolean
  readonly CacheImports: readonly CacheOptionsEntry[]
  readonly FrontendInputs: ReadonlyMap<string, Definition>
  readonly Evaluate: boolean
  readonly SourcePolicies: readonly SourcePolicy[]
}

export const GATEWAY_SOLVE_REQUEST: Message<GatewaySolveRequest> = message({
  Definition: nested(1, DEFINITION),
  Frontend: string(2),
  FrontendOpt: stringMap(3),
  allowResultReturn: boolean(5),
  allowResultArrayRef: boolean(6),
  Final: boolean(10),
  CacheImports: list(12, CACHE_OPTIONS_ENTRY),
  FrontendInputs: messageMap(13, DEFINITION),
  Evaluate: boolean(14),
  SourcePolicies: list(15, SOURCE_POLICY),
})

export interface GatewaySolveResponse {
  readonly ref: string
  readonly result: Result | undefined
}

export const GATEWAY_SOLVE_RESPONSE: Message<GatewaySolveResponse> = message({
  ref: string(1),
  result: nested(3, RESULT),
})

export interface FileRange {
  readonly Offset: number
  readonly Length: number
}

const FILE_RANGE: Message<FileRange> = message({
  Offset: integer(1),
  Length: integer(2),
})

export interface ReadFileRequest {
  readonly Ref: string
  readonly FilePath: string
  readonly Range: FileRange | undefined
  readonly MountIndex: number
}

export const READ_FILE_REQUEST: Message<ReadFileRequest> = message({
  Ref: string(1),
  FilePath: string(2),
  Range: nested(3, FILE_RANGE),
  MountIndex: integer(4),
})

export interface ReadFileResponse {
  readonly Data: Buffer
}

export const READ_FILE_RESPONSE: Message<ReadFileResponse> = message({
  Data: bytes(1),
})

export interface ReadDirRequest {
  readonly Ref: string
  readonly DirPath: string
  readonly IncludePattern: string
  readonly MountIndex: number
}

export const READ_DIR_REQUEST: Message<ReadDirRequest> = message({
  Ref: string(1),
  DirPath: string(2),
  IncludePattern: string(3),
  MountIndex: integer(4),
})

export interface ReadDirResponse {
  readonly entries: readonly FileStat[]
}

export const READ_DIR_RESPONSE: Message<ReadDirResponse> = message({
  entries: list(1, FILE_STAT),
})

export interface StatFileRequest {
  readonly Ref: string
  readonly Path: string
  readonly MountIndex: number
}

export const STAT_FILE_REQUEST: Message<StatFileRequest> = message({
  Ref: string(1),
  Path: string(2),
  MountIndex: integer(3),
})

export interface StatFileResponse {
  readonly stat: FileStat | undefined
}

export const STAT_FILE_RESPONSE: Message<StatFileResponse> = message({
  stat: nested(1, FILE_STAT),
})

export interface EvaluateRequest {
  readonly Ref: string
}

export const EVALUATE_REQUEST: Message<EvaluateRequest> = message({
  Ref: string(1),
})

export interface PongResponse {
  readonly FrontendAPICaps: readonly ApiCap[]
  readonly LLBCaps: readonly ApiCap[]
  readonly Workers: readonly WorkerRecord[]
}

export const PONG_RESPONSE: Message<PongResponse> = message({
  FrontendAPICaps: list(1, API_CAP),
  LLBCaps: list(2, API_CAP),
  Workers: list(3, WORKER_RECORD),
})

export interface WarnRequest {
  readonly digest: string
  readonly level: number
  readonly short: Buffer
  readonly detail: readonly Buffer[]
  readonly url: string
  readonly info: SourceInfo | undefined
  readonly ranges: readonly Range[]
}

export const WARN_REQUEST: Message<WarnRequest> = message({
  digest: string(1),
  level: integer(2),
  short: bytes(3),
  detail: byteList(4),
  url: string(5),
  info: nested(6, SOURCE_INFO),
  ranges: list(7, RANGE),
})

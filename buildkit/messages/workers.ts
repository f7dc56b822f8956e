/** What builds. Spec: BuildKit, api/types/worker.proto and util/apicaps/pb/caps.proto */
import { PLATFORM, type Platform } from './llb.ts'
import {
  boolean,
  integer,
  list,
  type Message,
  message,
  nested,
  string,
  stringMap,
  strings,
} from './wire.ts'

export interface GcPolicy {
  readonly all: boolean
  readonly keepDuration: number
  readonly reservedSpace: number
  readonly filters: readonly string[]
  readonly maxUsedSpace: number
  readonly minFreeSpace: number
}

const GC_POLICY: Message<GcPolicy> = message({
  all: boolean(1),
  keepDuration: integer(2),
  reservedSpace: integer(3),
  filters: strings(4),
  maxUsedSpace: integer(5),
  minFreeSpace: integer(6),
})

export interface BuildkitVersion {
  readonly package: string
  readonly version: string
  readonly revision: string
  readonly dockerfileVersion: string
}

export const BUILDKIT_VERSION: Message<BuildkitVersion> = message({
  package: string(1),
  version: string(2),
  revision: string(3),
  dockerfileVersion: string(4),
})

export interface WorkerRecord {
  readonly ID: string
  readonly Labels: ReadonlyMap<string, string>
  readonly platforms: readonly Platform[]
  readonly GCPolicy: readonly GcPolicy[]
  readonly BuildkitVersion: BuildkitVersion | undefined
}

export const WORKER_RECORD: Message<WorkerRecord> = message({
  ID: string(1),
  Labels: stringMap(2),
  platforms: list(3, PLATFORM),
  GCPolicy: list(4, GC_POLICY),
  BuildkitVersion: nested(5, BUILDKIT_VERSION),
})

/** Something that clients may ask for. */
export interface ApiCap {
  readonly ID: string
  readonly Enabled: boolean
  readonly Deprecated: boolean
  readonly DisabledReason: string
  readonly DisabledReasonMsg: string
  readonly DisabledAlternative: string
}

export const API_CAP: Message<ApiCap> = message({
  ID: string(1),
  Enabled: boolean(2),
  Deprecated: boolean(3),
  DisabledReason: string(4),
  DisabledReasonMsg: string(5),
  DisabledAlternative: string(6),
})

/** Definitions of builds by their operations. Spec: BuildKit, solver/pb/ops.proto */
import type { Buffer } from 'node:buffer'
import {
  boolean,
  booleanMap,
  byteList,
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

export interface Platform {
  readonly Architecture: string
  readonly OS: string
  readonly Variant: string
  readonly OSVersion: string
  readonly OSFeatures: readonly string[]
}

export const PLATFORM: Message<Platform> = message({
  Architecture: string(1),
  OS: string(2),
  Variant: string(3),
  OSVersion: string(4),
  OSFeatures: strings(5),
})

/** From 1 and from 0. */
export interface Position {
  readonly line: number
  readonly character: number
}

const POSITION: Message<Position> = message({
  line: integer(1),
  character: integer(2),
})

export interface Range {
  readonly start: Position | undefined
  readonly end: Position | undefined
}

export const RANGE: Message<Range> = message({
  start: nested(1, POSITION),
  end: nested(2, POSITION),
})

/** What an operation works on: an output of another one. */
export interface Input {
  readonly digest: string
  readonly index: number
}

const INPUT: Message<Input> = message({
  digest: string(1),
  index: integer(2),
})

export interface SourceOp {
  /** `docker-image://…`, `git://…`, `https://…`, `local://…`, `oci-layout://…` */
  readonly identifier: string
  readonly attrs: ReadonlyMap<string, string>
}

const SOURCE_OP: Message<SourceOp> = message({
  identifier: string(1),
  attrs: stringMap(2),
})

export interface FileActionCopy {
  readonly src: string
  readonly dest: string
  readonly followSymlink: boolean
  readonly dirCopyContents: boolean
  readonly attemptUnpackDockerCompatibility: boolean
  readonly createDestPath: boolean
  readonly allowWildcard: boolean
  readonly allowEmptyWildcard: boolean
  readonly include_patterns: readonly string[]
  readonly exclude_patterns: readonly string[]
}

const FILE_ACTION_COPY: Message<FileActionCopy> = message({
  src: string(1),
  dest: string(2),
  followSymlink: boolean(5),
  dirCopyContents: boolean(6),
  attemptUnpackDockerCompatibility: boolean(7),
  createDestPath: boolean(8),
  allowWildcard: boolean(9),
  allowEmptyWildcard: boolean(10),
  include_patterns: strings(12),
  exclude_patterns: strings(13),
})

export interface FileAction {
  readonly input: number
  readonly secondaryInput: number
  readonly output: number
  readonly copy: FileActionCopy | undefined
}

const FILE_ACTION: Message<FileAction> = message({
  input: integer(1),
  secondaryInput: integer(2),
  output: integer(3),
  copy: nested(4, FILE_ACTION_COPY),
})

export interface FileOp {
  readonly actions: readonly FileAction[]
}

const FILE_OP: Message<FileOp> = message({
  actions: list(2, FILE_ACTION),
})

/** An operation of a definition. Of those that are not understood only that they are there is kept. */
export interface Op {
  readonly inputs: readonly Input[]
  readonly exec: Buffer
  readonly source: SourceOp | undefined
  readonly file: FileOp | undefined
  readonly build: Buffer
  readonly merge: Buffer
  readonly diff: Buffer
  readonly platform: Platform | undefined
}

export const OP: Message<Op> = message({
  inputs: list(1, INPUT),
  exec: bytes(2),
  source: nested(3, SOURCE_OP),
  file: nested(4, FILE_OP),
  build: bytes(5),
  merge: bytes(6),
  diff: bytes(7),
  platform: nested(10, PLATFORM),
})

export interface ProgressGroup {
  readonly id: string
  readonly name: string
  readonly weak: boolean
}

export const PROGRESS_GROUP: Message<ProgressGroup> = message({
  id: string(1),
  name: string(2),
  weak: boolean(3),
})

export interface OpMetadata {
  readonly ignore_cache: boolean
  readonly description: ReadonlyMap<string, string>
  readonly caps: ReadonlyMap<string, boolean>
  readonly progress_group: ProgressGroup | undefined
}

const OP_METADATA: Message<OpMetadata> = message({
  ignore_cache: boolean(1),
  description: stringMap(2),
  caps: booleanMap(5),
  progress_group: nested(6, PROGRESS_GROUP),
})

export interface SourceInfo {
  readonly filename: string
  readonly data: Buffer
  readonly definition: Definition | undefined
  readonly language: string
}

export const SOURCE_INFO: Message<SourceInfo> = message({
  filename: string(1),
  data: bytes(2),
  definition: nested(3, (): Message<Definition> => DEFINITION),
  language: string(4),
})

export interface Location {
  readonly sourceIndex: number
  readonly ranges: readonly Range[]
}

const LOCATION: Message<Location> = message({
  sourceIndex: integer(1),
  ranges: list(2, RANGE),
})

export interface Locations {
  readonly locations: readonly Location[]
}

const LOCATIONS: Message<Locations> = message({
  locations: list(1, LOCATION),
})

export interface SourceMap {
  readonly locations: ReadonlyMap<string, Locations>
  readonly infos: readonly SourceInfo[]
}

const SOURCE_MAP: Message<SourceMap> = message({
  locations: messageMap(1, LOCATIONS),
  infos: list(2, SOURCE_INFO),
})

/** A graph of operations; the last one points to the result. */
export interface Definition {
  readonly def: readonly Buffer[]
  readonly metadata: ReadonlyMap<string, OpMetadata>
  readonly Source: SourceMap | undefined
}

export const DEFINITION: Message<Definition> = message({
  def: byteList(1),
  metadata: messageMap(2, OP_METADATA),
  Source: nested(3, SOURCE_MAP),
})

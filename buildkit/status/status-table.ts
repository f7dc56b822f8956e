import type { Vertex, VertexLog, VertexStatus, VertexWarning } from '#buildkit/messages'
import type { SourceFile } from '#parser'
import { type LogPiece, LogWindow } from './log-window.ts'
import { type LineRange, sourceExcerpt } from './source-excerpt.ts'
import { optionalTimestamp, timestampOf } from './times.ts'

/** Vertices, and transfers, of one build that are kept; what is beyond is left out. */
const MOST = 20_000
/** Warnings. */
const MOST_WARNINGS = 2000

/** What is known of a vertex. Times are milliseconds since 1970. */
export interface VertexState {
  readonly name: string
  /** Digests. */
  readonly inputs: readonly string[]
  readonly started: number | undefined
  readonly completed: number | undefined
  readonly cached: boolean
  /** Empty: none. */
  readonly error: string
}

/** How far a part of a vertex is. */
export interface PartState {
  /** What clients show. */
  readonly id: string
  readonly current: number
  /** 0: not known. */
  readonly total: number
  readonly started: number
  readonly completed: number | undefined
  readonly time: number
}

export interface WarningState {
  readonly short: string
  readonly detail: string | undefined
  readonly url: string | undefined
  readonly lines: LineRange | undefined
  readonly source: SourceFile | undefined
}

interface Versioned<T> {
  /** Greater than that of everything that changed before. */
  readonly version: number
  readonly vertex: string
  readonly state: T
}

/** What has changed since a version, in the order in which clients understand it. */
export interface Changes {
  readonly vertexes: readonly Vertex[]
  readonly statuses: readonly VertexStatus[]
  readonly warnings: readonly VertexWarning[]
  readonly logs: readonly VertexLog[]
}

/** The versions that a reader has. */
export interface Cursor {
  readonly state: number
  readonly logs: number
}

interface Progress {
  readonly changes: Changes
  readonly next: Cursor
  /** There is nothing more at present. */
  readonly isAll: boolean
}

const PLANNED: VertexState = {
  name: '',
  inputs: [],
  started: undefined,
  completed: undefined,
  cached: false,
  error: '',
}

/** The state of a build, as far as it has come: of vertices and their parts the last, of output the latest. */
export class StatusTable {
  readonly logs: LogWindow
  readonly #vertices = new Map<string, Versioned<VertexState>>()
  readonly #parts = new Map<string, Map<string, Versioned<PartState>>>()
  readonly #warnings: Versioned<WarningState>[] = []
  #partCount = 0
  #version = 0

  /** @param logCapacity bytes of output that are kept */
  constructor(logCapacity: number) {
    this.logs = new LogWindow(logCapacity, () => ++this.#version)
  }

  vertex(digest: string): VertexState | undefined {
    return this.#vertices.get(digest)?.state
  }

  setVertex(digest: string, change: Partial<VertexState>): void {
    const known = this.#vertices.get(digest)?.state
    if (known === undefined && this.#vertices.size >= MOST) return
    const state = { ...(known ?? PLANNED), ...change }
    this.#vertices.set(digest, { version: ++this.#version, vertex: digest, state })
  }

  part(digest: string, id: string): PartState | undefined {
    return this.#parts.get(digest)?.get(id)?.state
  }

  setPart(digest: string, state: PartState): void {
    const parts = this.#parts.get(digest) ?? new Map<string, Versioned<PartState>>()
    if (!parts.has(state.id)) {
      if (this.#partCount >= MOST) return
      this.#partCount++
    }
    this.#parts.set(digest, parts)
    parts.set(state.id, { version: ++this.#version, vertex: digest, state })
  }

  /** Clients wait for the end of what has begun in a vertex before they show the vertex as ended. */
  endParts(digest: string, time: number): void {
    for (const { state } of [...(this.#parts.get(digest)?.values() ?? [])]) {
      if (state.completed === undefined) this.setPart(digest, { ...state, completed: time, time })
    }
  }

  /** Clients look at the warnings of a vertex when something happens to it, so it is sent once more. */
  addWarning(digest: string, state: WarningState): void {
    if (this.#warnings.length >= MOST_WARNINGS) return
    this.#warnings.push({ version: ++this.#version, vertex: digest, state })
    this.setVertex(digest, {})
  }

  /** Ends what has not ended, as stopped. */
  endAll(time: number): void {
    for (const [digest, { state }] of [...this.#vertices]) {
      this.endParts(digest, time)
      if (state.started === undefined || state.completed !== undefined) continue
      this.setVertex(digest, { completed: time, error: CANCELED })
    }
    this.logs.flushAll()
  }

  /** What has changed, with a part of the output where there is much. */
  changesSince({ state, logs }: Cursor): Progress {
    this.logs.flushAll()
    const isNew = (one: { readonly version: number }): boolean => one.version > state
    const parts = [...this.#parts.values()].flatMap((ofVertex) => [...ofVertex.values()])
    const { pieces, version, isAll } = this.logs.since(logs)
    const changes = {
      vertexes: [...this.#vertices.values()].filter(isNew).sort(byStart).map(vertexMessage),
      statuses: parts.filter(isNew).sort(byVersion).map(statusMessage),
      warnings: this.#warnings.filter(isNew).map(warningMessage),
      logs: pieces.map(logMessage),
    }
    return { changes, next: { state: this.#version, logs: version }, isAll }
  }
}

/** What BuildKit says of a vertex that was stopped; its clients look for that at the end of an error. */
export const CANCELED = 'context canceled'

/** What has not started goes first, in the order in which it was planned. */
function byStart(a: Versioned<VertexState>, b: Versioned<VertexState>): number {
  return (a.state.started ?? 0) - (b.state.started ?? 0)
}

function byVersion(a: Versioned<PartState>, b: Versioned<PartState>): number {
  return a.version - b.version
}

function vertexMessage({ vertex: digest, state }: Versioned<VertexState>): Vertex {
  const { name, inputs, started, completed, cached, error } = state
  return {
    digest,
    inputs,
    name: name.toWellFormed(),
    cached,
    started: optionalTimestamp(started),
    completed: optionalTimestamp(completed),
    error: error.toWellFormed(),
    progressGroup: undefined,
  }
}

function statusMessage({ vertex, state }: Versioned<PartState>): VertexStatus {
  const { id, current, total, started, completed, time } = state
  return {
    ID: id.toWellFormed(),
    vertex,
    name: id.startsWith('transferring ') ? 'transferring' : '',
    current,
    total,
    timestamp: timestampOf(time),
    started: timestampOf(started),
    completed: optionalTimestamp(completed),
  }
}

function logMessage({ vertex, stream, time, data }: LogPiece): VertexLog {
  return { vertex, timestamp: timestampOf(time), stream, msg: data }
}

function warningMessage({ vertex, state }: Versioned<WarningState>): VertexWarning {
  const { short, detail, url = '', lines, source } = state
  const place =
    lines === undefined || source === undefined ? undefined : sourceExcerpt(source, [lines])
  return {
    vertex,
    level: 1,
    short: Buffer.from(short),
    detail: detail === undefined ? [] : [Buffer.from(detail)],
    url: url.toWellFormed(),
    info: place && { ...place.info, definition: undefined },
    ranges: place?.ranges ?? [],
  }
}

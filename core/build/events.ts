import type { Digest } from '../oci/digest.ts'

/** What a build tells while it runs, in order. `vertex` is stable within one build. */
export type BuildEvent =
  | VertexStarted
  | VertexLog
  | VertexProgress
  | VertexDone
  | VertexCached
  | VertexFailed
  | VertexCancelled
  | BuildWarning

export interface VertexStarted {
  readonly type: 'started'
  readonly vertex: string
  /** As a person reads it, e.g. `[build 2/5] RUN make`. */
  readonly name: string
}

/** A piece of a step's output: whatever arrived, not split into lines. */
export interface VertexLog {
  readonly type: 'log'
  readonly vertex: string
  readonly stream: 'stdout' | 'stderr'
  readonly data: Uint8Array
}

/** How far a transfer inside a vertex is; bytes. `id` tells several transfers apart. */
export interface VertexProgress {
  readonly type: 'progress'
  readonly vertex: string
  readonly id: string
  readonly current: number
  readonly total?: number
  readonly done: boolean
}

export interface VertexDone {
  readonly type: 'done'
  readonly vertex: string
  readonly milliseconds: number
}

/** The result was there already. Comes instead of `done`, after `started`. */
export interface VertexCached {
  readonly type: 'cached'
  readonly vertex: string
}

export interface VertexFailed {
  readonly type: 'failed'
  readonly vertex: string
  readonly message: string
  readonly milliseconds: number
}

export interface VertexCancelled {
  readonly type: 'cancelled'
  readonly vertex: string
}

export interface BuildWarning {
  readonly type: 'warning'
  readonly message: string
  /** 1-based line of the Dockerfile. */
  readonly line?: number
  /** The build check that says so. */
  readonly rule?: string
  /** Where more is said about it. */
  readonly url?: string
}

export type OnEvent = (event: BuildEvent) => void

/** A reference and what it was given, for results and machine-readable files. */
export interface NamedDigest {
  readonly name: string
  readonly digest: Digest
}

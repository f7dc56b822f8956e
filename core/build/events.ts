/**
 * What happens in a build, in order. `vertex` is the ID of what it happens to: unique within one build,
 * also when it is for several platforms.
 */
export type BuildFact =
  | BuildPlanned
  | VertexStarted
  | VertexLog
  | VertexProgress
  | VertexDone
  | VertexCached
  | VertexKept
  | VertexFailed
  | VertexCancelled
  | StepUsed
  | BuildWarning
  | BuildChoice
  | BuildSpan

/** A fact with its time. See docs/events.md */
export type BuildEvent = BuildFact & {
  /**
   * Milliseconds since 1970, with fractions: the wall clock's time at the start of the process and
   * monotonic from there, so that differences are durations.
   */
  readonly time: number
}

/** What a plan consists of, before anything of it is looked up or executed; one for each platform. */
interface BuildPlanned {
  readonly type: 'planned'
  /** In an order in which every vertex follows its inputs. */
  readonly vertices: readonly PlannedVertex[]
}

/** One node of a plan. */
export interface PlannedVertex {
  readonly id: string
  /** As a person reads it, e.g. `[build 2/5] RUN make`. */
  readonly name: string
  /** `image`, `http`, `git`, `files` or `exec`. */
  readonly op: string
  /** IDs of the vertices whose results it uses. */
  readonly inputs: readonly string[]
  /** The stage that it belongs to, by its name or else by its number, counted from 0. */
  readonly stage: string
  /** Lines of the Dockerfile, 1-based and inclusive. */
  readonly lines: { readonly start: number; readonly end: number }
  /** The platform that is built for, e.g. `linux/arm64/v8`. */
  readonly platform: string
}

/**
 * Why a step is executed: its result is not looked up, as the user or a comment above it says; it is too
 * old for the comment; what it is done on was executed; it is not known; or known for other inputs only.
 */
export type ExecutionReason =
  | 'no-cache'
  | 'cache-never'
  | 'expired'
  | 'input-executed'
  | 'no-record'
  | 'input-changed'

/**
 * How a result was found: by the definition of the step, by the content of what it copies, because a
 * result on top of it was found, or because the remote has nothing newer.
 */
export type CacheHit = 'definition' | 'content' | 'unused' | 'remote'

/**
 * What the time of a build is spent on: `start`, from the start of the process to the build; `parse`, the
 * Dockerfile and its checks; `store`, opening it, keeping results in it and closing it; `resolve`, base images and the plan; `keys`,
 * looking for results; `fetch`, downloads; `unpacking` and `packing` of layers; `steps`; `export`, the outputs;
 * `sync`, writing to the disk; `waiting` for other builds.
 */
export type BuildPart =
  | 'start'
  | 'parse'
  | 'store'
  | 'resolve'
  | 'keys'
  | 'fetch'
  | 'unpacking'
  | 'steps'
  | 'packing'
  | 'export'
  | 'sync'
  | 'waiting'

/** Work on a vertex has begun, or its result was found. */
interface VertexStarted {
  readonly type: 'started'
  readonly vertex: string
  /** As a person reads it, e.g. `[build 2/5] RUN make`. */
  readonly name: string
  /** Only for steps that are executed. */
  readonly reason?: ExecutionReason
  /** What its time is spent on; absent for steps, whose time is in spans. */
  readonly part?: BuildPart
}

/** A piece of a step's output: whatever arrived, not split into lines. */
export interface VertexLog {
  readonly type: 'log'
  readonly vertex: string
  readonly stream: 'stdout' | 'stderr'
  readonly data: Uint8Array
}

/** The bytes of a transfer inside a vertex so far. `id` tells several transfers apart. */
export interface VertexProgress {
  readonly type: 'progress'
  readonly vertex: string
  readonly id: string
  readonly current: number
  readonly total?: number
  readonly done: boolean
}

/** What a step's processes have used. */
export interface StepUsage {
  /** Milliseconds of processor time, of all of them together. */
  readonly processor: number
  /** Bytes that the largest of them had in memory at its peak. */
  readonly largestProcess: number
  /**
   * Bytes that all of them had at the peak, with the files that the kernel kept in memory for them. Absent
   * where no control group counts that.
   */
  readonly memory?: number
}

/** The processes of a step have ended, however; before the end of its vertex. */
export interface StepUsed extends StepUsage {
  readonly type: 'usage'
  readonly vertex: string
}

/** The end of a vertex that succeeded. */
export interface VertexDone {
  readonly type: 'done'
  readonly vertex: string
  readonly milliseconds: number
  /** The cache key of the result, for steps. */
  readonly key?: string
  /** What was written, for outputs of images. */
  readonly exported?: ExportedImages
}

/** Images as an output has them. */
export interface ExportedImages {
  /** Digest of the manifest, or of the index. */
  readonly root: string
  readonly isIndex: boolean
  /** Digests of the configs, in the order of the images. */
  readonly configs: readonly string[]
  /** What they are called there, with registry and tag: `docker.io/library/app:latest`. */
  readonly names: readonly string[]
}

/** The result was there already. Comes instead of `done`, after `started`. */
export interface VertexCached {
  readonly type: 'cached'
  readonly vertex: string
  readonly by?: CacheHit
  /** The cache key of the result, for steps that were looked up. */
  readonly key?: string
}

/** What can be looked at of a step that failed; its end follows. */
export interface VertexKept {
  readonly type: 'kept'
  readonly vertex: string
  /** Ids, as `tsbuild logs` and `tsbuild debug` take them. */
  readonly build: string
  readonly step: string
  /** There is output of it. */
  readonly hasLog: boolean
  /** What it has written to its files is kept. */
  readonly hasLayer: boolean
}

/** The end of a vertex that failed. */
export interface VertexFailed {
  readonly type: 'failed'
  readonly vertex: string
  readonly message: string
  readonly milliseconds: number
}

/** The end of a vertex that was stopped, since the build failed or was cancelled. */
export interface VertexCancelled {
  readonly type: 'cancelled'
  readonly vertex: string
}

/** Something that a user should know and that does not fail the build. */
export interface BuildWarning {
  readonly type: 'warning'
  /** The vertex that it is about, if there is one. */
  readonly vertex?: string
  readonly message: string
  /** 1-based line of the Dockerfile. */
  readonly line?: number
  /** The last line of what it is about, where that has several. */
  readonly endLine?: number
  /** The build check that says so. */
  readonly rule?: string
  /** What the build check is for. */
  readonly description?: string
  /** Where more is said about it. */
  readonly url?: string
}

/** What is used of several ways, because of the machine or because it was asked for. */
export interface BuildChoice {
  readonly type: 'choice'
  /**
   * `isolation`: how steps are kept apart. `runtime`: the program that starts them. `snapshotter`: how they get
   * their files.
   */
  readonly subject: 'isolation' | 'runtime' | 'snapshotter'
  readonly value: string
  /** Why no other one is used; absent where this one is the first choice. */
  readonly reason?: string
}

/** Time that was spent on a part of the build beside its vertices. Comes when it has ended, or later. */
export interface BuildSpan {
  readonly type: 'span'
  readonly part: BuildPart
  /** When it began: milliseconds since 1970, like `time`. */
  readonly started: number
  readonly milliseconds: number
}

/** What happens to one vertex. */
export type VertexFact = Exclude<
  BuildFact,
  BuildPlanned | VertexKept | BuildWarning | BuildChoice | BuildSpan | StepUsed
>

const REMARKS: ReadonlySet<BuildFact['type']> = new Set([
  ...(['planned', 'kept', 'warning', 'choice', 'span', 'usage'] as const),
])

/** Whether a fact is about one vertex, and about what happens to it. */
export function isOfVertex(fact: BuildFact): fact is VertexFact {
  return !REMARKS.has(fact.type)
}

/** Receives facts while they happen. */
export type OnEvent = (fact: BuildFact) => void

/** Receives the events of a build. */
export type BuildEventListener = (event: BuildEvent) => void

/** Gives each fact its time. */
export function timed(listener: BuildEventListener): OnEvent {
  return (fact) => listener({ ...fact, time: eventTime() })
}

/** The present time, as events have it. */
export function eventTime(): number {
  return performance.timeOrigin + performance.now()
}

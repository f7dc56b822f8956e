import type { GitSource, HttpSource } from '#builder/fetch'
import type { FileAction } from '#builder/files'
import type { ContainerConfig, HistoryEntry, Platform } from '#core'
import type { SourceRange } from '#parser'
import type { ResolvedBase } from '../bases/resolve-base.ts'
import type { PlannedMount } from './planned-mount.ts'
import type { StepSettings } from './step-settings.ts'

/** Stable within one plan. */
export type VertexId = string

/** Why a step is executed even when its result is known: by a flag of the build, or the comment above it. */
export type Freshness = 'flag' | 'comment'

/** Which results of earlier builds a step may be found by; all of them without a mark. */
export interface CacheMarks {
  /** None. */
  readonly fresh?: Freshness
  /** Those that are not older; milliseconds. */
  readonly maxAge?: number
}

interface VertexCommon extends CacheMarks {
  readonly id: VertexId
  /** The vertex serves a step and is not itself a step of the Dockerfile. */
  readonly internal?: true
  /** As a person reads it: `[build 2/5] RUN make`. */
  readonly name: string
  /** The instruction in the Dockerfile. */
  readonly range: SourceRange
  /** Upper bound of modification times in the result; milliseconds. */
  readonly maxMtime?: number
}

/** One node of the plan. Its result is a stack of layers: those of its root, and its own on top. */
export type Vertex = ImageVertex | RemoteVertex | StepVertex

/** What makes a layer of its own; everything else is a source of files. */
export type StepVertex = FilesVertex | ExecVertex

/** Remote files; every build asks the remote whether they have changed. */
export type RemoteVertex = HttpVertex | GitVertex

/** The layers of a base image, fetched only when something needs them. */
export interface ImageVertex extends VertexCommon {
  readonly op: 'image'
  readonly base: ResolvedBase
}

/** ADD of a URL: a folder with one file. */
export interface HttpVertex extends VertexCommon {
  readonly op: 'http'
  readonly source: HttpSource
}

/** ADD of a git repository: the files of a commit. */
export interface GitVertex extends VertexCommon {
  readonly op: 'git'
  readonly source: GitSource
}

/** COPY, ADD and WORKDIR: a layer made of files from elsewhere. */
export interface FilesVertex extends VertexCommon {
  readonly op: 'files'
  readonly root: VertexId | undefined
  /** What the actions' `source` counts in. */
  readonly sources: readonly FilesSource[]
  readonly actions: readonly FileAction[]
  /** `--link`: the layer does not depend on the layers below it. */
  readonly link: boolean
  /** The time of directories and files that come from nowhere else, in milliseconds; default: now. */
  readonly defaultMtime?: number
}

/** Where the files of a COPY or ADD come from. */
export type FilesSource = ContextInput | VertexSource

/** A folder of the client: the build context, or a named one. */
interface ContextInput {
  readonly kind: 'context'
  readonly name?: string | undefined
}

/** Another vertex' files; `undefined` is the empty stage. */
export interface VertexSource {
  readonly kind: 'vertex'
  readonly vertex: VertexId | undefined
}

/** RUN: the changes that a process makes. */
export interface ExecVertex extends VertexCommon {
  readonly op: 'exec'
  readonly root: VertexId | undefined
  /** What the mounts' `source` counts in. */
  readonly sources: readonly VertexSource[]
  /** Parents before what is mounted into them. */
  readonly mounts: readonly PlannedMount[]
  readonly process: PlannedProcess
  /** Build arguments that are declared where it stands, by name: which of its variables they are. */
  readonly args: Iterable<readonly [name: string, value: string]>
  readonly platform: Platform
  /** Reported when the step runs. */
  readonly warnings: readonly string[]
}

/** The process of a RUN. */
export interface PlannedProcess {
  readonly args: readonly string[]
  readonly env: readonly string[]
  /** Passed to the process too, but no part of the step's identity. */
  readonly proxyEnv: readonly string[]
  readonly cwd: string
  readonly user: string
  readonly hostname: string
  readonly network: 'default' | 'none' | 'host'
  readonly security: 'sandbox' | 'insecure'
  /** What the user grants and limits. */
  readonly settings: StepSettings
}

/** One history entry of the image; those of the base image are kept as they are. */
export type PlannedHistory =
  | { readonly kind: 'kept'; readonly entry: HistoryEntry }
  | { readonly kind: 'new'; readonly createdBy: string; readonly vertex: VertexId | undefined }

/** The image that a stage stands for. */
export interface PlannedImage {
  /** Of its config. */
  readonly platform: Platform
  /** Of its descriptor in an index. */
  readonly offered: Platform
  readonly top: VertexId | undefined
  readonly config: ContainerConfig
  readonly author: string | undefined
  readonly history: readonly PlannedHistory[]
}

/** Everything to do, inputs before what uses them. */
export interface Plan {
  readonly vertices: ReadonlyMap<VertexId, Vertex>
  readonly image: PlannedImage
  /** Upper bound of the times that the build adds to the image; milliseconds. */
  readonly sourceDateEpoch?: number | undefined
}

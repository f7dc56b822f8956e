import type { ImageVertex, RemoteVertex, StepVertex, VertexId } from '#builder/plan'
import type { CacheKey } from '#cache'
import type { Digest, ExecutionReason } from '#core'
import type { KeyedStep } from '../keys/vertex-key.ts'
import type { LayerForm } from '../layers/layer-forms.ts'
import type { FileSelection } from './file-selection.ts'
import type { Result, StepOutcome } from './result.ts'

/** What a vertex does. When it is done, and whether, is up to the solver. */
export type Operation = SourceOperation | StepOperation

/** Layers from elsewhere, which no cache is asked for. */
export interface SourceOperation {
  readonly kind: 'source'
  readonly vertex: ImageVertex | RemoteVertex
  /** The key of the result; `undefined` where it is known only after running. */
  definitionKey(): CacheKey | undefined
  run(): Promise<Result>
}

/** A step that makes a layer of its own on top of its root. */
export interface StepOperation {
  readonly kind: 'step'
  readonly vertex: StepVertex
  /** The vertices that it takes files from. */
  readonly inputs: readonly VertexId[]
  /** The files that its content key is about; `undefined` where the definition says everything. */
  readonly selection: FileSelection | undefined
  /** Only the content of its files identifies the step, since they are from a build context. */
  readonly isByContent: boolean
  /** The key by what the step is and the keys of its inputs; `undefined` for a step by content. */
  definitionKey(root: CacheKey | undefined, inputs: readonly CacheKey[]): KeyedStep | undefined
  /** The key by what the selected files hold. */
  contentKey(root: CacheKey | undefined, content: Digest): KeyedStep
  /** Equal for every version of the step: shows whether it was ever done. */
  family(root: CacheKey | undefined, definition: KeyedStep | undefined): CacheKey
  /** The key of the stack that the layer of key `own` makes with its root. */
  resultKey(root: CacheKey | undefined, own: CacheKey): CacheKey
  run(work: StepWork): Promise<StepOutcome>
}

/** What a step is run on. */
export interface StepWork {
  readonly root: Result | undefined
  /** For each source of the vertex its result; `undefined` for a context and for the empty stage. */
  readonly sources: readonly (Result | undefined)[]
  /** The key that the step was looked up by; `undefined` when its content is not known yet. */
  readonly step: KeyedStep | undefined
  readonly forms: readonly LayerForm[]
  /** Why it is executed. */
  readonly reason: ExecutionReason
  /** To be called when a process runs. */
  readonly onBegin: () => void
}

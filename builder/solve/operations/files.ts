import type { FilesVertex, VertexId } from '#builder/plan'
import type { CacheKey } from '#cache'
import type { Digest } from '#core'
import { filesFamily, filesKey, type KeyedStep, linkedKey } from '../keys/vertex-key.ts'
import { sourcesOf } from '../keys/vertex-kind.ts'
import type { CopyDeps } from './copied-layer.ts'
import { copyStep } from './copy-step.ts'
import { type FileSelection, isFromContext } from './file-selection.ts'
import type { StepOperation, StepWork } from './operation.ts'
import type { StepOutcome } from './result.ts'

/** COPY, ADD and WORKDIR: a layer made of files from elsewhere. */
export class FilesOperation implements StepOperation {
  readonly kind = 'step'
  readonly vertex: FilesVertex
  readonly inputs: readonly VertexId[]
  readonly selection: FileSelection | undefined
  readonly isByContent: boolean
  readonly #deps: CopyDeps

  constructor(vertex: FilesVertex, deps: CopyDeps) {
    this.vertex = vertex
    this.inputs = sourcesOf(vertex)
    this.selection = vertex.sources.length === 0 ? undefined : vertex
    this.isByContent = isFromContext(vertex)
    this.#deps = deps
  }

  definitionKey(root: CacheKey | undefined, inputs: readonly CacheKey[]): KeyedStep | undefined {
    if (this.isByContent) return undefined
    if (this.selection === undefined) return filesKey(this.vertex, root, undefined)
    // The files of an empty stage have no key.
    return filesKey(this.vertex, root, { definition: inputs.length === 0 ? [null] : inputs })
  }

  contentKey(root: CacheKey | undefined, content: Digest): KeyedStep {
    return filesKey(this.vertex, root, { content })
  }

  family(root: CacheKey | undefined): CacheKey {
    return filesFamily(this.vertex, root)
  }

  resultKey(root: CacheKey | undefined, own: CacheKey): CacheKey {
    return this.vertex.link ? linkedKey(root, own) : own
  }

  run({ root, sources, step, forms, reason }: StepWork): Promise<StepOutcome> {
    const layersOf = (result: StepWork['root']) => result?.layers.map(({ layer }) => layer) ?? []
    const layers = { below: layersOf(root), sources: sources.map(layersOf) }
    // A file of the context may have changed since its digest was taken: what was copied counts.
    const isKnown = step !== undefined && !this.isByContent
    const keyOf = (content: Digest): KeyedStep =>
      isKnown ? step : this.contentKey(root?.key, content)
    const family = this.selection === undefined ? undefined : this.family(root?.key)
    return copyStep(this.vertex, { layers, keyOf, forms, reason, family }, this.#deps)
  }
}

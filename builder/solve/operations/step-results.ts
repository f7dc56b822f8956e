import type { LayerRecord } from '#cache'
import { BuiltLayer } from '../layers/built-layer.ts'
import type { Layer, LayerDeps } from '../layers/layer.ts'
import type { LayerForms } from '../layers/layer-forms.ts'
import type { StepOperation } from './operation.ts'
import type { Result } from './result.ts'

/** The layer of a step, found or just made, and the key that it has in a cache. */
export interface StepLayer extends Pick<Result, 'key'> {
  readonly layer: LayerRecord
  readonly createdAt: Date
}

/** Makes the results of steps, whose layers are packed or digested while later steps run. */
export class StepResults {
  readonly #forms: LayerForms
  readonly #deps: LayerDeps
  /** Digests of layers that no tar is made of. */
  readonly #digests: Promise<unknown>[] = []

  constructor(forms: LayerForms, deps: LayerDeps) {
    this.#forms = forms
    this.#deps = deps
  }

  /** The layer of a step on top of what the step was done on. */
  stack(
    operation: StepOperation,
    root: Result | undefined,
    { key, layer, createdAt }: StepLayer,
  ): Result & { readonly own: BuiltLayer } {
    const { id } = operation.vertex
    const own = new BuiltLayer(layer, createdAt, this.#deps)
    // A rejection reaches those that await the tar.
    if (this.#forms(id).includes('tar')) void own.tar(layersOf(root))
    const below = root?.layers ?? []
    return {
      key: operation.resultKey(root?.key, key),
      layers: [...below, { vertex: id, layer: own }],
      own,
    }
  }

  /** Digests a layer that is not packed: a later build checks its directory with the diffID. */
  digest({ vertex }: StepOperation, own: Layer, below: readonly Layer[]): void {
    if (!this.#forms(vertex.id).includes('tar')) this.#digests.push(own.diffId(below))
  }

  /** Waits for all digests. */
  async digested(): Promise<void> {
    await Promise.all(this.#digests)
  }
}

/** The layers of a result, bottom first; none without a result. */
export function layersOf(result: Result | undefined): readonly Layer[] {
  return result?.layers.map(({ layer }) => layer) ?? []
}

import type { CacheKey, LayerRecord, TarFacts } from '#cache'
import { uncompressedDigest } from '#core'
import { BuiltLayer } from './layers/built-layer.ts'
import type { Layer, LayerDeps } from './layers/layer.ts'
import type { LayerForms } from './layers/layer-forms.ts'
import type { ResultLookup } from './lookup/result-lookup.ts'
import type { SourceOperation, StepOperation, StepWork } from './operations/operation.ts'
import type { Result, StepOutcome } from './operations/result.ts'

/** What making results needs. */
export interface StepResultsDeps extends LayerDeps {
  readonly lookup: ResultLookup
  readonly forms: LayerForms
  /** Gets each layer of the image as soon as its tar is in the store. */
  readonly onTar: (tar: TarFacts) => void
}

/** The layer of a step that was found, and the key that it has in a cache. */
export interface FoundLayer {
  readonly key: CacheKey
  readonly layer: LayerRecord
  readonly createdAt: Date
}

/** What is known of a step that was executed. */
export interface ExecutedStep extends Pick<StepWork, 'root' | 'sources'>, StepOutcome {
  readonly family: CacheKey
  /** That it took. */
  readonly milliseconds: number
}

/** Makes the results of steps, whose layers are packed or digested while later steps run. */
export class StepResults {
  readonly #deps: StepResultsDeps
  /** Digests of layers that no tar is made of. */
  readonly #digests: Promise<unknown>[] = []

  constructor(deps: StepResultsDeps) {
    this.#deps = deps
  }

  /** The result of what is no step. Base images of the store may have plain tars. */
  fromElsewhere({ vertex }: SourceOperation, result: Result): Result {
    if (this.#deps.forms(vertex.id).includes('tar')) {
      for (const { layer } of result.layers) {
        const { diffId, descriptor } = layer.base ?? {}
        if (diffId === undefined || descriptor?.digest !== uncompressedDigest(diffId)) continue
        this.#deps.onTar({ diffId, size: descriptor.size })
      }
    }
    return result
  }

  /** The result of a step that was found, on top of what the step is done on. */
  found(operation: StepOperation, root: Result | undefined, found: FoundLayer): Result {
    return this.#stack(operation, root, found).result
  }

  /** The result of a step that was executed; it is stored in the cache. */
  async executed(operation: StepOperation, executed: ExecutedStep): Promise<Result> {
    const { store, lookup, spans } = this.#deps
    const { step, root, sources, layer: id, family, milliseconds } = executed
    const layer = store.layers.get(id)
    if (layer === undefined) throw new Error('a step has its layer in the store')
    const createdAt = new Date()
    const { result, own } = this.#stack(operation, root, { key: step.key, layer, createdAt })
    const inputs = [root, ...sources].flatMap((input) => input?.key ?? [])
    const description = operation.vertex.name
    const below = layersOf(root)
    const tar = () => own.packed(below)
    const made = { ...step, family, inputs, layer: id, description, createdAt, tar }
    const stored = { ...made, below: root?.lastRun, milliseconds }
    await spans.measure('store', () => lookup.put(operation.vertex, stored))
    if (operation.vertex.op === 'exec') this.#digest(operation, own, below)
    return result
  }

  /** Waits for the digests of all layers that are not packed. */
  async digested(): Promise<void> {
    await Promise.all(this.#digests)
  }

  #stack(
    operation: StepOperation,
    root: Result | undefined,
    { key, layer, createdAt }: FoundLayer,
  ): { readonly result: Result; readonly own: BuiltLayer } {
    const { id } = operation.vertex
    const own = new BuiltLayer(layer, createdAt, this.#deps)
    if (this.#deps.forms(id).includes('tar')) {
      // A rejection reaches those that await the tar.
      own.tar(layersOf(root)).then(this.#deps.onTar, () => undefined)
    }
    const layers = [...(root?.layers ?? []), { vertex: id, layer: own }]
    const lastRun = operation.vertex.op === 'exec' ? key : root?.lastRun
    return { result: { key: operation.resultKey(root?.key, key), layers, lastRun }, own }
  }

  /** A later build checks the directory with the diffID; packing a layer gives it as well. */
  #digest({ vertex }: StepOperation, own: Layer, below: readonly Layer[]): void {
    if (!this.#deps.forms(vertex.id).includes('tar')) this.#digests.push(own.diffId(below))
  }
}

/** The layers of a result, bottom first; none without a result. */
export function layersOf(result: Result | undefined): readonly Layer[] {
  return result?.layers.map(({ layer }) => layer) ?? []
}

import type { BaseLayer, VertexId } from '#builder/plan'
import type { CachedResult, CacheKey, Candidate, TarFacts } from '#cache'
import { uncompressedDigest } from '#core'
import { BuiltLayer } from './layers/built-layer.ts'
import { ImportedLayer } from './layers/imported-layer.ts'
import type { Layer, LayerDeps } from './layers/layer.ts'
import type { LayerForms } from './layers/layer-forms.ts'
import { reportedDownload } from './layers/reported-download.ts'
import type { FoundResult, ResultLookup } from './lookup/result-lookup.ts'
import type { SourceOperation, StepOperation, StepWork } from './operations/operation.ts'
import type { Result, StepOutcome } from './operations/result.ts'
import type { PulledVertex, Reporter } from './report/reporter.ts'
import type { SolvedStep } from './solved-step.ts'

/** What making results needs. */
export interface StepResultsDeps extends LayerDeps {
  readonly lookup: ResultLookup
  readonly forms: LayerForms
  readonly reporter: Reporter
  /** Gets each layer of the image as soon as its tar is in the store. */
  readonly onTar: (tar: TarFacts) => void
  /** Gets each layer of the image that comes from a base, packed, before anything is done on it. */
  readonly onBase: (layer: BaseLayer) => void
  /** Gets each step that was executed or found; again one whose layer was made anew. */
  readonly onSolved: ((step: SolvedStep) => void) | undefined
  /** Steps whose layers the image has. */
  readonly inImage: ReadonlySet<VertexId>
}

/** What is known of a step that was executed. */
export interface ExecutedStep extends Pick<StepWork, 'root' | 'sources'>, StepOutcome {
  readonly family: CacheKey
  /** That it took. */
  readonly milliseconds: number
  /** The key by which it was looked up first. */
  readonly first: CacheKey | undefined
}

/** The layer that a step has itself, on top of those of its root. */
interface OwnLayer {
  readonly key: CacheKey
  readonly layer: Layer
}

/** What is known of a solved step besides its layer. */
type SolvedFacts = Omit<CachedResult, 'layer'> & Pick<SolvedStep, 'aliases'>

/** The layer of a solved step, and what it lies on. */
interface SolvedLayer {
  readonly layer: BuiltLayer | ImportedLayer
  readonly root: Result | undefined
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
        if (layer.base === undefined) continue
        const { diffId, descriptor } = layer.base
        const isPlain = descriptor.digest === uncompressedDigest(diffId)
        if (isPlain) this.#deps.onTar({ diffId, size: descriptor.size })
        else this.#deps.onBase(layer.base)
      }
    }
    return result
  }

  /**
   * The result of a step that was found, on top of what the step is done on.
   * @param again finds another result, or executes the step, where the layer of this one cannot be had
   */
  found(
    operation: StepOperation,
    root: Result | undefined,
    { found, again }: { readonly found: FoundResult; readonly again: () => Promise<Result> },
  ): Result {
    const { key, createdAt, candidate, stored } = found
    const { layer: cached } = candidate
    if (stored !== undefined) {
      const layer = new BuiltLayer(stored, createdAt, this.#deps)
      this.#makeTar(operation, root, layer)
      this.#solved(operation, () => factsOf(candidate), { layer, root })
      return this.#stack(operation, root, { key, layer })
    }
    if (cached.kind !== 'remote') throw new Error('a layer is in the store or elsewhere')
    const layer = new ImportedLayer(cached, createdAt, {
      ...this.#deps,
      download: reportedDownload({ ...cached, vertex: pulledFor(operation) }, this.#deps.reporter),
      onStored: (id) => this.#deps.lookup.keep(candidate, id),
      remake: async (cause) => {
        this.#deps.lookup.lose(cached, cause)
        const { layers } = await again()
        const remade = layers.at(-1)?.layer
        if (remade === undefined) throw new Error('a step has a layer')
        return remade
      },
    })
    this.#solved(operation, () => factsOf(candidate), { layer, root })
    return this.#stack(operation, root, { key, layer })
  }

  /** The result of a step that was executed; it is stored in the cache. */
  async executed(operation: StepOperation, executed: ExecutedStep): Promise<Result> {
    const { store, lookup, spans } = this.#deps
    const { step, root, sources, layer: id, tar: made, family, first, milliseconds } = executed
    const record = store.layers.get(id)
    if (record === undefined) throw new Error('a step has its layer in the store')
    const createdAt = new Date()
    const own = new BuiltLayer(record, createdAt, this.#deps, made)
    this.#makeTar(operation, root, own)
    const inputs = [root, ...sources].flatMap((input) => input?.key ?? [])
    const description = operation.vertex.name
    const below = layersOf(root)
    const tar = () => own.packed(below)
    const facts = { ...step, family, inputs, description, createdAt }
    const stored = { ...facts, below: root?.lastRun, milliseconds, layer: id, tar }
    await spans.measure('store', () => lookup.put(operation.vertex, stored))
    if (operation.vertex.op === 'exec') this.#digest(operation, own, below)
    const aliases = first === undefined || first === step.key ? [] : [first]
    this.#solved(operation, () => ({ ...facts, aliases }), { layer: own, root })
    return this.#stack(operation, root, { key: step.key, layer: own })
  }

  /** Waits for the digests of all layers that are not packed. */
  async digested(): Promise<void> {
    await Promise.all(this.#digests)
  }

  #stack(operation: StepOperation, root: Result | undefined, { key, layer }: OwnLayer): Result {
    const { id } = operation.vertex
    const layers = [...(root?.layers ?? []), { vertex: id, layer }]
    const lastRun = operation.vertex.op === 'exec' ? key : root?.lastRun
    return { key: operation.resultKey(root?.key, key), layers, lastRun }
  }

  #makeTar({ vertex }: StepOperation, root: Result | undefined, own: BuiltLayer): void {
    if (!this.#deps.forms(vertex.id).includes('tar')) return
    // A rejection reaches those that await the tar.
    own.tar(layersOf(root)).then(this.#deps.onTar, () => undefined)
  }

  #solved({ vertex }: StepOperation, known: () => SolvedFacts, { layer, root }: SolvedLayer): void {
    const { onSolved, inImage, store } = this.#deps
    if (onSolved === undefined) return
    const below = layersOf(root)
    onSolved({
      ...known(),
      isInImage: inImage.has(vertex.id),
      remote: () => (layer instanceof ImportedLayer ? layer.remote : undefined),
      diffId: () => (layer instanceof BuiltLayer ? layer.sharedDiffId(below) : layer.diffId(below)),
      packed: async () => {
        const { diffId, size } = await layer.tar(below)
        if (size === undefined) throw new Error('the tar of a step is of a known size')
        return { diffId, size, presumed: store.layers.presumed(diffId) }
      },
    })
  }

  /** A later build checks the directory with the diffID; packing a layer gives it as well. */
  #digest({ vertex }: StepOperation, own: Layer, below: readonly Layer[]): void {
    if (!this.#deps.forms(vertex.id).includes('tar')) this.#digests.push(own.diffId(below))
  }
}

function factsOf({ foundBy, layer: _, ...facts }: Candidate): SolvedFacts {
  return { ...facts, aliases: foundBy === facts.key ? [] : [foundBy] }
}

function pulledFor({ vertex: { id, name } }: StepOperation): PulledVertex {
  return { id, name: `import ${name}` }
}

/** The layers of a result, bottom first; none without a result. */
export function layersOf(result: Result | undefined): readonly Layer[] {
  return result?.layers.map(({ layer }) => layer) ?? []
}

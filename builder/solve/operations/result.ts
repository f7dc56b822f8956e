import type { VertexId } from '#builder/plan'
import type { CacheKey, LayerId, TarFacts } from '#cache'
import type { KeyedStep } from '../keys/vertex-key.ts'
import { BaseImageLayer } from '../layers/base-image-layer.ts'
import type { Layer } from '../layers/layer.ts'

/** What a vertex stands for once it is solved. */
export interface Result {
  readonly key: CacheKey
  /** Key of the last RUN in its layers, as it is stored. */
  readonly lastRun?: CacheKey | undefined
  /** Bottom first. */
  readonly layers: readonly ResultLayer[]
}

/** One layer of a result. */
export interface ResultLayer {
  readonly layer: Layer
  /** The step that made it; `undefined` for layers of a base image. */
  readonly vertex: VertexId | undefined
}

/** What running a step gives: its layer, and the key that the layer is stored under. */
export interface StepOutcome {
  readonly step: KeyedStep
  readonly layer: LayerId
  /** The tar, where that is being made while later steps run; it is made of the layer when this gives none. */
  readonly tar?: Promise<TarFacts | undefined> | undefined
}

/**
 * Steps that were found in the cache were done on layers named by their diffIDs: the base that the
 * image is shipped with must be those. Where there is no step, no layer of the base was used.
 */
export async function confirmBases(layers: readonly ResultLayer[]): Promise<void> {
  if (layers.every(({ vertex }) => vertex === undefined)) return
  const bases = layers.flatMap(({ layer }) => (layer instanceof BaseImageLayer ? [layer] : []))
  await Promise.all(bases.map((base) => base.confirm()))
}

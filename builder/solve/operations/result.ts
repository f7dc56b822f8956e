import type { VertexId } from '#builder/plan'
import type { CacheKey } from '#cache'
import { BaseImageLayer } from '../layers/base-image-layer.ts'
import type { Layer } from '../layers/layer.ts'

/** What a vertex stands for once it is solved. */
export interface Result {
  readonly key: CacheKey
  /** Bottom first. */
  readonly layers: readonly ResultLayer[]
}

export interface ResultLayer {
  readonly layer: Layer
  /** The step that made it; `undefined` for layers of a base image. */
  readonly vertex: VertexId | undefined
}

/** What is known of a vertex before anything was done for it. */
export interface Probe {
  /** What it will be, unless an input that has to be made turns out otherwise. */
  readonly key: CacheKey
  /** There is a record under the key. */
  readonly isCached: boolean
}

/**
 * Steps that were found in the cache were done on layers named by their diffIDs: the base that the
 * image is shipped with must be those. Where no step is, nothing of it was used.
 */
export async function confirmBases(layers: readonly ResultLayer[]): Promise<void> {
  if (layers.every(({ vertex }) => vertex === undefined)) return
  const bases = layers.flatMap(({ layer }) => (layer instanceof BaseImageLayer ? [layer] : []))
  await Promise.all(bases.map((base) => base.confirm()))
}

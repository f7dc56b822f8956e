import type { CachedResult, CacheKey, RemoteLayer, TarFacts } from '#cache'
import type { DiffId } from '#core'

/** The result of a step, executed or found, as a cache elsewhere takes it. */
export interface SolvedStep extends Omit<CachedResult, 'layer'> {
  /** Other keys that lead to it. */
  readonly aliases: readonly CacheKey[]
  /** Its layer is one of the image. */
  readonly isInImage: boolean
  /** Where its layer is, if nothing of it has been made here. */
  readonly remote: () => RemoteLayer | undefined
  /** The diffID of its layer, for which no tar is kept; `undefined` for what no tar can hold. */
  readonly diffId: () => Promise<DiffId | undefined>
  /** Packs its layer unless that was done: from then on the tar is in the store. */
  readonly packed: () => Promise<TarFacts>
}

import type { DiffId, Json } from '#core'
import type { CacheKey } from './cache-key.ts'
import type { LayerId } from './layer-id.ts'

/** The layer of a cached result. */
export interface CachedLayer {
  /** The layer in the store of this machine. */
  readonly id: LayerId
  /** Known once the layer was packed: what names it on other machines. */
  readonly diffId: DiffId | undefined
  /** Bytes of the uncompressed tar; known with the diffID. */
  readonly size: number | undefined
}

/** The result of a step, with all that another machine needs to use it. */
export interface CachedResult {
  readonly key: CacheKey
  /** The document that the key is the digest of. */
  readonly preimage: Json
  /** Key of the step without its content: equal for every version of the same step. */
  readonly family: CacheKey
  /** Keys of the results that the step was done on. */
  readonly inputs: readonly CacheKey[]
  /** The step as a person reads it. */
  readonly description: string
  readonly createdAt: Date
  readonly layer: CachedLayer
}

/** One answer of a cache. */
export interface Candidate extends CachedResult {
  /** The key that was asked for; another one than `key` where that is linked. */
  readonly foundBy: CacheKey
}

/** What is to be cached: facts of the layer's tar follow when the layer is packed. */
export interface NewResult extends Omit<CachedResult, 'layer'> {
  readonly layer: LayerId
}

/** What every call takes. */
export interface CacheCallOptions {
  /** Ends a call that takes long. */
  readonly signal: AbortSignal | undefined
}

/**
 * The results of steps by their keys, on this machine or elsewhere. Every call may take as long as a
 * request over a network, so what is known to be needed is asked for in one call.
 */
export interface ResultCache {
  /** True when its failures fail the build; failures of any other are misses. */
  readonly isRequired: boolean
  /** Results for any of the keys, in no order of keys; of several for one key the best comes first. */
  find(keys: readonly CacheKey[], options: CacheCallOptions): Promise<readonly Candidate[]>
  /** True when any version of a step has a result: then it is worth while to digest its files. */
  hasFamily(family: CacheKey, options: CacheCallOptions): Promise<boolean>
  /** Stores a result; it replaces an older one under the same key. Its layer is stored already. */
  put(result: NewResult, options: CacheCallOptions): Promise<void>
  /** Makes `key` find the result of `target`, unless it has a result itself. */
  link(key: CacheKey, target: CacheKey, options: CacheCallOptions): Promise<void>
}

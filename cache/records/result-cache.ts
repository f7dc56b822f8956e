import type { BlobSink, BlobSource, Descriptor, DiffId, Json } from '#core'
import type { CacheKey } from './cache-key.ts'
import type { LayerId } from './layer-id.ts'
import type { TarFacts } from './layer-record.ts'

/** The layer of a cached result. */
export type CachedLayer = StoredLayer | RemoteLayer

/** A layer in the store of this machine. */
export interface StoredLayer {
  readonly kind: 'stored'
  readonly id: LayerId
  /** Known once the layer was packed: what names it on other machines. */
  readonly diffId: DiffId | undefined
  /** Bytes of the uncompressed tar; known with the diffID. */
  readonly size: number | undefined
}

/** A layer elsewhere. Nothing of it is fetched before something needs its bytes, which are verified then. */
export interface RemoteLayer extends TarFacts {
  readonly kind: 'remote'
  /** The blob that holds it, in whatever compression. */
  readonly blob: Descriptor
  /** Where the blob is. */
  readonly source: BlobSource & Pick<BlobSink, 'has'>
  /** The repository that has the blob, if it is in a registry. */
  readonly origin: RepositoryName | undefined
}

/** A repository of a registry. */
export interface RepositoryName {
  readonly registry: string
  readonly repository: string
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

/** What is to be cached. */
export interface NewResult extends Omit<CachedResult, 'layer'> {
  readonly layer: LayerId
  /** Key of the last RUN that the layer lies on. */
  readonly below?: CacheKey | undefined
  /** That the step took. */
  readonly milliseconds?: number | undefined
  /**
   * Packs the layer unless that was done, and gives what another machine needs of it: from then on its
   * tar is a blob of the store, with the diffID as its digest. May be called until the build ends.
   */
  tar(): Promise<TarFacts>
}

/** What every call takes. */
export interface CacheCallOptions {
  /** Ends a call that takes long. */
  readonly signal: AbortSignal | undefined
}

/** What results are asked for with. */
export interface FindOptions extends CacheCallOptions {
  /** A cache may leave out what was made before; a cache of several looks on for what was not. */
  readonly since?: Date
}

/**
 * Where results of steps are looked up by their keys, on this machine or elsewhere. Every call may take as
 * long as a request over a network, so what is known to be needed is asked for in one call.
 */
export interface ResultSource {
  /** Results for any of the keys, in no order of keys; of several for one key the best comes first. */
  find(keys: readonly CacheKey[], options: FindOptions): Promise<readonly Candidate[]>
  /** Those of the families that have a result: then it is worth while to digest a step's files. */
  hasFamilies(
    families: readonly CacheKey[],
    options: CacheCallOptions,
  ): Promise<ReadonlySet<CacheKey>>
}

/** The results of steps, and where those of a build go. */
export interface ResultCache extends ResultSource {
  /** True when its failures fail the build; failures of any other are misses. */
  readonly isRequired: boolean
  /** Stores a result; it replaces an older one under the same key. Its layer is stored already. */
  put(result: NewResult, options: CacheCallOptions): Promise<void>
  /** Makes `key` find the result of `target`, unless it has a result itself. */
  link(key: CacheKey, target: CacheKey, options: CacheCallOptions): Promise<void>
}

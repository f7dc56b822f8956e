import { buffer } from 'node:stream/consumers'
import type {
  CacheCallOptions,
  CacheKey,
  Candidate,
  NewResult,
  RemoteLayer,
  ResultCache,
  Store,
  TarFacts,
} from '#cache'
import { type Digest, MEDIA_TYPES, uncompressedDigest } from '#core'
import { MemoryResults } from './memory-results.ts'

/** What the machines of a remote cache share. */
export class RemoteContent {
  readonly results: MemoryResults = new MemoryResults()
  readonly tars: Map<CacheKey, TarFacts> = new Map()
  /** Uncompressed tars. */
  readonly blobs: Map<Digest, Uint8Array> = new Map()
  /** How many blobs were opened. */
  opened = 0
}

/** A cache of results whose layers are elsewhere, as one machine uses it. */
export class RemoteResults implements ResultCache {
  readonly isRequired = false
  readonly #content: RemoteContent
  readonly #store: Store
  readonly #source: RemoteLayer['source'] = {
    open: async ({ digest }) => this.#open(digest),
    has: async ({ digest }) => this.#content.blobs.has(digest),
  }

  constructor(content: RemoteContent, store: Store) {
    this.#content = content
    this.#store = store
  }

  async find(keys: readonly CacheKey[]): Promise<readonly Candidate[]> {
    const found = await this.#content.results.find(keys)
    return found.flatMap((candidate) => {
      const tar = this.#content.tars.get(candidate.key)
      if (tar === undefined) return []
      const digest = uncompressedDigest(tar.diffId)
      const blob = { mediaType: MEDIA_TYPES.ociLayer, digest, size: tar.size }
      const layer = {
        kind: 'remote',
        ...tar,
        blob,
        source: this.#source,
        origin: undefined,
      } as const
      return [{ ...candidate, layer }]
    })
  }

  hasFamilies(families: readonly CacheKey[]): Promise<ReadonlySet<CacheKey>> {
    return this.#content.results.hasFamilies(families)
  }

  async put(result: NewResult, { signal }: CacheCallOptions): Promise<void> {
    const tar = await result.tar()
    const digest = uncompressedDigest(tar.diffId)
    const blob = { mediaType: MEDIA_TYPES.ociLayer, digest, size: tar.size }
    this.#content.blobs.set(digest, await buffer(await this.#store.blobs.open(blob, { signal })))
    this.#content.tars.set(result.key, tar)
    await this.#content.results.put(result)
  }

  link(key: CacheKey, target: CacheKey): Promise<void> {
    return this.#content.results.link(key, target)
  }

  async *#open(digest: Digest): AsyncGenerator<Uint8Array> {
    this.#content.opened++
    const blob = this.#content.blobs.get(digest)
    if (blob === undefined) throw new Error('connection reset')
    yield blob
  }
}

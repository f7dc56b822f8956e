import type { CacheKey, Candidate, NewResult, ResultCache } from '#cache'

/** A cache of results in memory: what the solver must be able to do without a store that remembers. */
export class MemoryResults implements ResultCache {
  readonly isRequired = false
  readonly #results = new Map<CacheKey, NewResult>()
  readonly #links = new Map<CacheKey, CacheKey>()
  /** How many calls there were, by name. */
  readonly calls: { find: number; put: number } = { find: 0, put: 0 }

  async find(keys: readonly CacheKey[]): Promise<readonly Candidate[]> {
    this.calls.find++
    return keys.flatMap((foundBy) => {
      const result = this.#results.get(foundBy) ?? this.#results.get(this.#target(foundBy))
      if (result === undefined) return []
      const layer = { id: result.layer, diffId: undefined, size: undefined }
      return [{ ...result, foundBy, layer }]
    })
  }

  async hasFamily(family: CacheKey): Promise<boolean> {
    return this.#results.values().some((result) => result.family === family)
  }

  async put(result: NewResult): Promise<void> {
    this.calls.put++
    this.#links.delete(result.key)
    this.#results.set(result.key, result)
  }

  async link(key: CacheKey, target: CacheKey): Promise<void> {
    if (key !== target) this.#links.set(key, this.#target(target))
  }

  #target(key: CacheKey): CacheKey {
    return this.#links.get(key) ?? key
  }
}

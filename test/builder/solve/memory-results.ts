import type { CacheKey, Candidate, NewResult, ResultCache } from '#cache'

/** A cache of results in memory, whose layers are in the store. */
export class MemoryResults implements ResultCache {
  readonly isRequired = false
  readonly #results = new Map<CacheKey, NewResult>()
  readonly #links = new Map<CacheKey, CacheKey>()
  /** How many calls there were, by name, and how many keys they asked for. */
  readonly calls: { find: number; keys: number; families: number; put: number } = {
    ...{ find: 0, keys: 0, families: 0, put: 0 },
  }

  async find(keys: readonly CacheKey[]): Promise<readonly Candidate[]> {
    this.calls.find++
    this.calls.keys += keys.length
    return keys.flatMap((foundBy) => {
      const result = this.#results.get(foundBy) ?? this.#results.get(this.#target(foundBy))
      if (result === undefined) return []
      const { tar: _, layer: id, ...facts } = result
      return [
        { ...facts, foundBy, layer: { kind: 'stored', id, diffId: undefined, size: undefined } },
      ]
    })
  }

  async hasFamilies(families: readonly CacheKey[]): Promise<ReadonlySet<CacheKey>> {
    this.calls.families++
    const known = new Set([...this.#results.values()].map(({ family }) => family))
    return new Set(families.filter((family) => known.has(family)))
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

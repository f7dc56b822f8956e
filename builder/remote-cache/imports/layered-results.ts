import type { CacheKey, Candidate, ResultCache, ResultSource } from '#cache'

/**
 * A cache of several: what the local one does not have is looked up in all others at the same time. Results
 * go to the local one.
 */
export function layeredResults(local: ResultCache, others: readonly ResultSource[]): ResultCache {
  return {
    isRequired: local.isRequired,
    find: async (keys, options) => {
      const { since } = options
      const all = await local.find(keys, options)
      const found = since === undefined ? all : all.filter(({ createdAt }) => createdAt >= since)
      const known = new Set(found.map(({ foundBy }) => foundBy))
      const missing = keys.filter((key) => !known.has(key))
      if (missing.length === 0) return found
      const more = others.map((one): Promise<readonly Candidate[]> => one.find(missing, options))
      return [...found, ...(await Promise.all(more)).flat()]
    },
    hasFamilies: async (families, options) => {
      const found = await local.hasFamilies(families, options)
      const missing = families.filter((family) => !found.has(family))
      if (missing.length === 0) return found
      const more = others.map((one) => one.hasFamilies(missing, options))
      return new Set<CacheKey>([found, ...(await Promise.all(more))].flatMap((one) => [...one]))
    },
    put: (result, options) => local.put(result, options),
    link: (key, target, options) => local.link(key, target, options),
  }
}

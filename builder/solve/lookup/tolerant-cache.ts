import type { CacheCallOptions, ResultCache } from '#cache'

/** How often a call is made that fails. */
const ATTEMPTS = 5

/**
 * A cache whose failures are misses, after four more attempts: a cache that does not answer must not
 * fail a build that can do without it. A required cache is returned as it is.
 * @param onFailure gets what a call failed with; the build goes on
 */
export function tolerantCache(
  cache: ResultCache,
  onFailure: (cause: unknown) => void,
): ResultCache {
  if (cache.isRequired) return cache
  const attempt = async <T>(
    call: () => Promise<T>,
    { miss, signal }: CacheCallOptions & { readonly miss: T },
  ): Promise<T> => {
    for (let left = ATTEMPTS - 1; ; left--) {
      try {
        return await call()
      } catch (cause) {
        if (signal?.aborted) return miss
        if (left > 0) continue
        onFailure(cause)
        return miss
      }
    }
  }
  return {
    isRequired: false,
    find: (keys, options) => attempt(() => cache.find(keys, options), { ...options, miss: [] }),
    hasFamilies: (families, options) =>
      attempt(() => cache.hasFamilies(families, options), { ...options, miss: new Set() }),
    put: (result, options) =>
      attempt(() => cache.put(result, options), { ...options, miss: undefined }),
    link: (key, target, options) =>
      attempt(() => cache.link(key, target, options), { ...options, miss: undefined }),
  }
}

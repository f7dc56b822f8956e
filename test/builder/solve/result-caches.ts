import type { ResultCache, Store } from '#cache'
import { MemoryResults } from './memory-results.ts'

/** The results that solvers on one store share. */
export type ResultsOf = (store: Store) => ResultCache

/** The caches that the solver is tested on: each is opened once a test. */
export const RESULT_CACHES: ReadonlyMap<string, () => ResultsOf> = new Map([
  [
    'the store',
    () =>
      ({ results }) =>
        results,
  ],
  ['memory', () => constantly(new MemoryResults())],
])

function constantly(cache: ResultCache): ResultsOf {
  return () => cache
}

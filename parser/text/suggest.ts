import { suggestion } from '#core'

/** As many as BuildKit allows, also for short words. */
const MAX_EDITS = 2

/** The candidate that BuildKit would suggest for `word`, or `undefined`. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  return suggestion(word, candidates, MAX_EDITS)
}

/** ` (did you mean x?)`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const meant = nearest(word, candidates)
  return meant === undefined ? '' : ` (did you mean ${meant}?)`
}

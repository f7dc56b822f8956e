import { nearest } from '../../text/suggest.ts'

/** Names that a suggestion is looked for among: a hostile file has any number. */
const MAX_CANDIDATES = 500

/** ` (did you mean x?)` for the name of a variable, or nothing. `sigil` stands before the suggestion. */
export function similarName(name: string, names: Iterable<string>, sigil: '' | '$' = ''): string {
  const similar = nearest(name, Array.from(names).slice(0, MAX_CANDIDATES))
  return similar === undefined ? '' : ` (did you mean ${sigil}${similar}?)`
}

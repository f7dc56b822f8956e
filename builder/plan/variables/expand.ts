import { TsbuildError } from '#core'
import { type Dockerfile, expandWord, expandWords, SourceError, type Word } from '#parser'

/** Names and their values. */
export interface Variables extends Iterable<readonly [string, string]> {
  get(name: string): string | undefined
  has(name: string): boolean
}

/** A word with its variables replaced and its quotes removed. @throws {SourceError} */
export function expandWith(
  word: Word,
  variables: Variables,
  escapeChar: Dockerfile['escape'],
): string {
  return located(word, () =>
    expandWord(word.raw, { lookup: (name) => variables.get(name), escape: escapeChar }),
  )
}

/** Like `expandWith`, split at unquoted white space afterwards. @throws {SourceError} */
export function expandListWith(
  word: Word,
  variables: Variables,
  escapeChar: Dockerfile['escape'],
): readonly string[] {
  return located(word, () =>
    expandWords(word.raw, { lookup: (name) => variables.get(name), escape: escapeChar }),
  )
}

/** Ties a failure of `evaluate` to the word that it is about. @throws {SourceError} */
export function located<T>(word: Word, evaluate: () => T): T {
  try {
    return evaluate()
  } catch (cause) {
    if (!(cause instanceof TsbuildError) || cause instanceof SourceError) throw cause
    const { code, hint } = cause
    throw new SourceError(cause.message, { code, hint, cause: cause.cause, ranges: [word.range] })
  }
}

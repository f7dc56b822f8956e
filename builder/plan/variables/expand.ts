import { TsbuildError } from '#core'
import {
  type DeclaredArg,
  type Expanded,
  expandTracked,
  expandWords,
  SourceError,
  type StageScope,
  type Variables,
  type Word,
} from '#parser'

/** What words are expanded from. */
export type ExpandScope = Pick<StageScope, 'escape'> & { readonly variables: Variables }

/** A word with its variables replaced and its quotes removed. @throws {SourceError} */
export function expandWith(word: Word, scope: ExpandScope): string {
  return expandedValue(expandTracked(word.raw, scope), word)
}

/** Like `expandWith`, split at unquoted white space afterwards. @throws {SourceError} */
export function expandListWith(
  word: Word,
  { variables, escape: mark }: ExpandScope,
): readonly string[] {
  const lookup = (name: string): string | undefined => variables.get(name)
  return withErrorsAt(word, () => expandWords(word.raw, { lookup, escape: mark }))
}

/** The value of an expanded word. @throws {SourceError} DOCKERFILE_INVALID when there is none */
export function expandedValue({ value, failure }: Expanded, word: Word): string {
  return withErrorsAt(word, () => {
    if (failure !== undefined) throw failure
    return value ?? ''
  })
}

/** Refuses an ARG whose default is used and cannot be expanded. @throws {SourceError} DOCKERFILE_INVALID */
export function checkDefault({ fallback, declaration: { value } }: DeclaredArg): void {
  if (fallback !== undefined && value !== undefined) expandedValue(fallback, value)
}

/** Ties a failure of `evaluate` to the word that it is about. @throws {SourceError} */
export function withErrorsAt<T>(word: Word, evaluate: () => T): T {
  try {
    return evaluate()
  } catch (cause) {
    if (!(cause instanceof TsbuildError) || cause instanceof SourceError) throw cause
    const { code, hint } = cause
    throw new SourceError(cause.message, { code, hint, cause: cause.cause, ranges: [word.range] })
  }
}

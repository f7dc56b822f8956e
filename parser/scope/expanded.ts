import { TsbuildError } from '#core'
import type { Dockerfile } from '../ast/ast.ts'
import { expandWord, expandWords } from '../words/expand.ts'

/** Names and their values. */
export interface Variables extends Iterable<readonly [string, string]> {
  get(name: string): string | undefined
  has(name: string): boolean
}

/** A word after expansion, and the variables that it asks for. */
export interface Expanded {
  /** `undefined` when the word cannot be expanded. */
  readonly value: string | undefined
  /** Why the word cannot be expanded. */
  readonly failure: TsbuildError | undefined
  /** The variables with a value, with or without a fallback, in the order of their first use. */
  readonly matched: ReadonlySet<string>
  /** The variables without a value, with or without a fallback, in the order of their first use. */
  readonly unmatched: ReadonlySet<string>
}

/** How words of one file are read. */
export interface ExpandContext {
  readonly variables: Variables
  readonly escape: Dockerfile['escape']
  readonly quotes?: 'ignore' | 'remove'
}

const NO_NAMES: ReadonlySet<string> = new Set()

/** Expands a word and records the variables that it asks for. A mistake in the word is a value. */
export function expandTracked(
  raw: string,
  { variables, escape: mark, quotes = 'remove' }: ExpandContext,
): Expanded {
  let matched: Set<string> | undefined
  let unmatched: Set<string> | undefined
  const lookup = (name: string): string | undefined => {
    const value = variables.get(name)
    if (value === undefined) unmatched = (unmatched ?? new Set()).add(name)
    else matched = (matched ?? new Set()).add(name)
    return value
  }
  const result = attempt(() => expandWord(raw, { lookup, escape: mark, quotes }))
  return { ...result, matched: matched ?? NO_NAMES, unmatched: unmatched ?? NO_NAMES }
}

/** A word expanded and split at unquoted white space; empty when it cannot be expanded. */
export function expandList(
  raw: string,
  { variables, escape: mark }: ExpandContext,
): readonly string[] {
  const lookup = (name: string): string | undefined => variables.get(name)
  return attempt(() => expandWords(raw, { lookup, escape: mark })).value ?? []
}

interface Attempt<T> {
  readonly value: T | undefined
  readonly failure: TsbuildError | undefined
}

function attempt<T>(evaluate: () => T): Attempt<T> {
  try {
    return { value: evaluate(), failure: undefined }
  } catch (cause) {
    if (cause instanceof TsbuildError) return { value: undefined, failure: cause }
    throw cause
  }
}

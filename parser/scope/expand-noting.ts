import { TsbuildError } from '#core'
import type { Dockerfile } from '../ast/ast.ts'
import { expandWord, expandWords } from '../words/expand.ts'

/** What became of a word, and of which variables. */
export interface Expanded {
  /** `undefined` when the word cannot be expanded; the build says why. */
  readonly value: string | undefined
  /** Variables that had a value, and those that had none, in the order of their first use. */
  readonly matched: ReadonlySet<string>
  readonly unmatched: ReadonlySet<string>
}

export interface ExpandContext {
  readonly lookup: (name: string) => string | undefined
  readonly escape: Dockerfile['escape']
  readonly quotes?: 'ignore' | 'remove'
}

/** Expands a word and notes every variable that it asks for, with or without a fallback. */
export function expandNoting(raw: string, context: ExpandContext): Expanded {
  const matched = new Set<string>()
  const unmatched = new Set<string>()
  const lookup = (name: string): string | undefined => {
    const value = context.lookup(name)
    if (value === undefined) unmatched.add(name)
    else matched.add(name)
    return value
  }
  const value = attempt(() => expandWord(raw, { ...context, lookup }))
  return { value, matched, unmatched }
}

/** Like `expandWord`, split at white space; empty when the word cannot be expanded. */
export function expandList(raw: string, context: ExpandContext): readonly string[] {
  return attempt(() => expandWords(raw, context)) ?? []
}

/** A check is silent about what the build refuses anyway. */
function attempt<T>(evaluate: () => T): T | undefined {
  try {
    return evaluate()
  } catch (cause) {
    if (cause instanceof TsbuildError) return undefined
    throw cause
  }
}

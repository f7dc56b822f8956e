import type { Word } from '../ast/ast.ts'
import { SourceError } from '../text/diagnostics.ts'
import type { SourceRange } from '../text/source.ts'
import { didYouMean } from '../text/suggest.ts'

/** Where files come from: an earlier stage, or something outside the Dockerfile. */
export type SourceRef =
  | { readonly kind: 'stage'; readonly index: number }
  /** With `context`, the files of that named context stand for the image. */
  | { readonly kind: 'image'; readonly name: string; readonly context?: string }
  /** No files; `name` is the name that a named context replaces by it. */
  | { readonly kind: 'scratch'; readonly name?: string }

/** The replacement of a name by a named context. */
export type Replacement =
  | { readonly kind: 'image'; readonly name: string }
  | { readonly kind: 'stage'; readonly name: string }
  /** Files from elsewhere. */
  | { readonly kind: 'context'; readonly name: string }

/** The stages and replacements that names are resolved with. */
export interface Names {
  /** Indexes of stages by name, the last one of each. */
  readonly stages: ReadonlyMap<string, number>
  readonly count: number
  readonly replace: (name: string) => Replacement | undefined
}

/** Resolves a name that is not the name of a stage. */
export function externalRef(name: string, range: SourceRange, names: Names): SourceRef {
  if (name === 'scratch') return { kind: 'scratch' }
  const found = names.replace(name)
  return found === undefined
    ? { kind: 'image', name }
    : replacementRef(found, { name, range }, names)
}

/**
 * Resolves the replacement of `name`.
 * @throws {SourceError} USAGE for a stage that does not exist
 */
export function replacementRef(
  found: Replacement,
  { name, range }: { readonly name: string; readonly range: SourceRange },
  { stages }: Names,
): SourceRef {
  if (found.kind === 'image') return found.name === 'scratch' ? { kind: 'scratch', name } : found
  if (found.kind === 'context') return { kind: 'image', name, context: found.name }
  const index = stages.get(found.name.toLowerCase())
  if (index !== undefined) return { kind: 'stage', index }
  const meant = didYouMean(found.name, [...stages.keys()])
  throw new SourceError(`stage ${JSON.stringify(found.name)} could not be found${meant}`, {
    code: 'USAGE',
    ranges: [range],
    hint: `the build context ${name} is to be this stage of the Dockerfile`,
  })
}

/** A stage by its name in any case, the last one of that name; else an image. */
export function namedRef(name: string, range: SourceRange, names: Names): SourceRef {
  const index = names.stages.get(name.toLowerCase())
  return index === undefined ? externalRef(name, range, names) : { kind: 'stage', index }
}

/**
 * Resolves `COPY --from`, which can also have the index of a stage.
 * @throws {SourceError} DOCKERFILE_INVALID
 */
export function copyFromRef({ raw, range }: Word, names: Names): SourceRef {
  const { count } = names
  const index = /^[+-]?\d+$/.test(raw) ? Number(raw) : undefined
  if (index === undefined || Math.abs(index) > Number.MAX_SAFE_INTEGER) {
    return namedRef(raw, range, names)
  }
  if (index >= 0 && index < count) return { kind: 'stage', index }
  throw new SourceError(`invalid stage index ${raw}`, {
    code: 'DOCKERFILE_INVALID',
    ranges: [range],
    hint: `stages are numbered from 0 to ${count - 1}`,
  })
}

import type { Word } from '../ast/ast.ts'
import { SourceError } from '../text/diagnostics.ts'
import type { SourceRange } from '../text/source.ts'
import { didYouMean } from '../text/suggest.ts'

/** Where files come from: an earlier stage, or something outside the Dockerfile. */
export type SourceRef =
  | { readonly kind: 'stage'; readonly index: number }
  /** With `context`, the files of that named context stand for the image. */
  | { readonly kind: 'image'; readonly name: string; readonly context?: string }
  /** Nothing; `name`: as which another name was replaced by it. */
  | { readonly kind: 'scratch'; readonly name?: string }

/** What stands for a name instead of the image or stage of that name. */
export type Replacement =
  | { readonly kind: 'image'; readonly name: string }
  | { readonly kind: 'stage'; readonly name: string }
  /** Files from elsewhere. */
  | { readonly kind: 'context'; readonly name: string }

/** What names are looked up in. */
export interface Names {
  /** Indexes of stages by name, the last one of each. */
  readonly stages: ReadonlyMap<string, number>
  readonly count: number
  readonly replace: (name: string) => Replacement | undefined
}

/** What a name means that is no stage's. */
export function outside(name: string, range: SourceRange, names: Names): SourceRef {
  if (name === 'scratch') return { kind: 'scratch' }
  const found = names.replace(name)
  return found === undefined ? { kind: 'image', name } : refOf(found, { name, range }, names)
}

/** What stands for `name`. @throws {SourceError} USAGE for a stage that there is not */
export function refOf(
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
export function stageNamed(name: string, range: SourceRange, names: Names): SourceRef {
  const index = names.stages.get(name.toLowerCase())
  return index === undefined ? outside(name, range, names) : { kind: 'stage', index }
}

/** What COPY --from names: a stage also by its number. @throws {SourceError} DOCKERFILE_INVALID */
export function sourceOf({ raw, range }: Word, names: Names): SourceRef {
  const { count } = names
  const index = /^[+-]?\d+$/.test(raw) ? Number(raw) : undefined
  if (index === undefined || Math.abs(index) > Number.MAX_SAFE_INTEGER) {
    return stageNamed(raw, range, names)
  }
  if (index >= 0 && index < count) return { kind: 'stage', index }
  throw new SourceError(`invalid stage index ${raw}`, {
    code: 'DOCKERFILE_INVALID',
    ranges: [range],
    hint: `stages are numbered from 0 to ${count - 1}`,
  })
}

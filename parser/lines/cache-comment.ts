/**
 * Comments above an instruction that say which results of earlier builds count: `# cache=never` and
 * `# cache=ttl:24h`. To other builders they are comments.
 */
import type { InstructionBase } from '../ast/ast.ts'
import type { SourceRange } from '../text/source.ts'
import { ownComments } from './instruction-comments.ts'

/** What a comment says about results of earlier builds. */
export type CacheSetting =
  /** None counts. */
  | { readonly kind: 'never' }
  /** Those count that are not older; milliseconds. */
  | { readonly kind: 'ttl'; readonly milliseconds: number }

/** A comment `# cache=value`; `setting` is absent when the value is not understood. */
export interface CacheComment {
  readonly value: string
  readonly setting: CacheSetting | undefined
  readonly range: SourceRange
}

const MILLISECONDS: ReadonlyMap<string, number> = new Map([
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/** As `# check=` is read: the value ends at the first white space, so a reason may follow. */
const COMMENT = /^cache\s*=\s*(\S*)/i

/** The comments about the cache that belong to an instruction, in order. */
export function cacheComments(
  instruction: Pick<InstructionBase, 'comments'>,
): readonly CacheComment[] {
  if (instruction.comments.length === 0) return []
  return ownComments(instruction).flatMap(({ text, range }) => {
    const value = COMMENT.exec(text.trim())?.[1]
    return value === undefined ? [] : [{ value, setting: parseSetting(value), range }]
  })
}

/** The setting that counts for an instruction: that of the first comment with one. */
export function cacheSettingAbove(
  instruction: Pick<InstructionBase, 'comments'>,
): CacheSetting | undefined {
  return cacheComments(instruction).find(({ setting }) => setting !== undefined)?.setting
}

function parseSetting(value: string): CacheSetting | undefined {
  if (value.toLowerCase() === 'never') return { kind: 'never' }
  const written = /^ttl:((?:\d{1,7}[smhd])+)$/i.exec(value)?.[1]
  if (written === undefined) return undefined
  let milliseconds = 0
  for (const [, count, unit = ''] of written.toLowerCase().matchAll(/(\d+)([smhd])/g)) {
    milliseconds += Number(count) * (MILLISECONDS.get(unit) ?? 0)
  }
  return milliseconds === 0 ? undefined : { kind: 'ttl', milliseconds }
}

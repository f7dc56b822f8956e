import type { Dockerfile, FromInstruction } from '../ast/ast.ts'
import type { Finding } from './linter.ts'
import * as text from './messages.ts'

const RESERVED = new Set(['context', 'scratch'])

/** StageNameCasing and FromAsCasing: what a FROM says about its own name. */
export function checkStageName(from: FromInstruction): readonly Finding[] {
  const { as, asKeyword, keyword, range } = from
  if (as === undefined || asKeyword === undefined) return []
  const found: Finding[] = []
  if (as.raw !== as.raw.toLowerCase()) {
    const message = text.stageNameCasing(as.raw)
    found.push({ rule: 'StageNameCasing', message, range, by: from })
  }
  if (!isSameCase(keyword.raw, asKeyword.raw)) {
    const message = text.fromAsCasing(keyword.raw, asKeyword.raw)
    found.push({ rule: 'FromAsCasing', message, range, by: from })
  }
  return found
}

/** A FROM in mixed case is a matter of ConsistentInstructionCasing. */
function isSameCase(from: string, as: string): boolean {
  if (from === from.toLowerCase()) return as === as.toLowerCase()
  return from !== from.toUpperCase() || as === as.toUpperCase()
}

/** ReservedStageName and DuplicateStageName. */
export function checkStageNames({ stages }: Dockerfile): readonly Finding[] {
  const known = new Set<string>()
  return stages.flatMap(({ name, from }) => {
    if (name === undefined) return []
    const found: Finding[] = []
    const { range } = from
    if (RESERVED.has(name)) {
      const message = text.reservedStageName(name)
      found.push({ rule: 'ReservedStageName', message, range, by: from })
    }
    if (known.has(name)) {
      const message = text.duplicateStageName(name)
      found.push({ rule: 'DuplicateStageName', message, range, by: from })
    }
    known.add(name)
    return found
  })
}

import { findingAt, type Rule } from '../rule/rule.ts'

/** FromAsCasing. */
export const fromAsCasing: Rule = {
  name: 'FromAsCasing',
  description: 'AS is written in the case of the FROM before it',
  url: 'https://docs.docker.com/go/dockerfile/rule/from-as-casing/',
  isExperimental: false,
  order: 2,
  instruction: (instruction) => {
    if (instruction.kind !== 'from' || instruction.asKeyword === undefined) return []
    const [from, as] = [instruction.keyword.raw, instruction.asKeyword.raw]
    if (isSameCase(from, as)) return []
    return [findingAt(instruction, `'${as}' and '${from}' keywords' casing do not match`)]
  },
}

/** A FROM in mixed case is left to ConsistentInstructionCasing. */
function isSameCase(from: string, as: string): boolean {
  if (from === from.toLowerCase()) return as === as.toLowerCase()
  return from !== from.toUpperCase() || as === as.toUpperCase()
}

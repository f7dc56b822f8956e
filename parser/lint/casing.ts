import type { Dockerfile } from '../ast/ast.ts'
import type { Finding } from './linter.ts'
import * as text from './messages.ts'

/** ConsistentInstructionCasing: as most keywords are written, and in upper case when in doubt. */
export function checkCasing({ stages }: Dockerfile): readonly Finding[] {
  const instructions = stages.flatMap(({ from, instructions }) => [from, ...instructions])
  const count = (isCase: (keyword: string) => boolean): number =>
    instructions.filter(({ keyword }) => isCase(keyword.raw)).length
  const wanted = count(isLower) > count(isUpper) ? 'lowercase' : 'uppercase'
  const isWanted = wanted === 'lowercase' ? isLower : isUpper
  return instructions.flatMap((instruction): readonly Finding[] => {
    const { keyword, range } = instruction
    if (isWanted(keyword.raw)) return []
    const message = text.instructionCasing(keyword.raw, wanted)
    return [{ rule: 'ConsistentInstructionCasing', message, range, by: instruction }]
  })
}

function isLower(keyword: string): boolean {
  return keyword === keyword.toLowerCase()
}

function isUpper(keyword: string): boolean {
  return keyword === keyword.toUpperCase()
}

import { findingAt, type Rule } from '../rule/rule.ts'

/** ConsistentInstructionCasing: the case of most keywords, upper case when neither is more frequent. */
export const consistentInstructionCasing: Rule = {
  name: 'ConsistentInstructionCasing',
  description: 'All keywords of a file are written in the same case',
  url: 'https://docs.docker.com/go/dockerfile/rule/consistent-instruction-casing/',
  isExperimental: false,
  order: 4,
  file: ({ stages }) => {
    const instructions = stages.flatMap(({ from, instructions }) => [from, ...instructions])
    const count = (isCase: (keyword: string) => boolean): number =>
      instructions.filter(({ keyword }) => isCase(keyword.raw)).length
    const wanted = count(isLower) > count(isUpper) ? 'lowercase' : 'uppercase'
    const isWanted = wanted === 'lowercase' ? isLower : isUpper
    return instructions.flatMap((instruction) => {
      const { raw } = instruction.keyword
      if (isWanted(raw)) return []
      const message = `Command '${raw}' should match the case of the command majority (${wanted})`
      return [findingAt(instruction, message)]
    })
  },
}

function isLower(keyword: string): boolean {
  return keyword === keyword.toLowerCase()
}

function isUpper(keyword: string): boolean {
  return keyword === keyword.toUpperCase()
}

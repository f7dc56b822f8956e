import { findingAt, type Rule } from '../rule/rule.ts'

/** StageNameCasing. */
export const stageNameCasing: Rule = {
  name: 'StageNameCasing',
  description: 'Names of stages are written in lower case',
  url: 'https://docs.docker.com/go/dockerfile/rule/stage-name-casing/',
  isExperimental: false,
  order: 1,
  instruction: (instruction) => {
    if (instruction.kind !== 'from' || instruction.as === undefined) return []
    const { raw } = instruction.as
    if (raw === raw.toLowerCase()) return []
    return [findingAt(instruction, `Stage name '${raw}' should be lowercase`)]
  },
}

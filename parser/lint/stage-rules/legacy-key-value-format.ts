import { findingAt, type Rule } from '../rule/rule.ts'

/** LegacyKeyValueFormat. */
export const legacyKeyValueFormat: Rule = {
  name: 'LegacyKeyValueFormat',
  description: 'ENV and LABEL are written with an equals sign',
  url: 'https://docs.docker.com/go/dockerfile/rule/legacy-key-value-format/',
  isExperimental: false,
  order: 13,
  step: ({ instruction }) => {
    const isPair = instruction.kind === 'env' || instruction.kind === 'label'
    if (!isPair || !instruction.legacy) return []
    const { raw } = instruction.keyword
    const message = `"${raw} key=value" should be used instead of legacy "${raw} key value" format`
    return [findingAt(instruction, message)]
  },
}

import { findingAt, type Rule } from '../rule/rule.ts'

/** JSONArgsRecommended: without a SHELL, the shell that receives the signals is the default one. */
export const jsonArgsRecommended: Rule = {
  name: 'JSONArgsRecommended',
  description: 'CMD and ENTRYPOINT as JSON arrays get signals themselves',
  url: 'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/',
  isExperimental: false,
  order: 12,
  step: ({ instruction, facts }) => {
    if (instruction.kind !== 'cmd' && instruction.kind !== 'entrypoint') return []
    if (instruction.command.form === 'exec' || facts.hasShell) return []
    const { raw } = instruction.keyword
    const message = `JSON arguments recommended for ${raw} to prevent unintended behavior related to OS signals`
    return [findingAt(instruction, message)]
  },
}

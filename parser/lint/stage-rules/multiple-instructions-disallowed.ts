import type { Rule } from '../rule/rule.ts'

/** MultipleInstructionsDisallowed: at the earlier one, which has no effect. */
export const multipleInstructionsDisallowed: Rule = {
  name: 'MultipleInstructionsDisallowed',
  description: 'What counts only once stands only once in a stage',
  url: 'https://docs.docker.com/go/dockerfile/rule/multiple-instructions-disallowed/',
  isExperimental: false,
  order: 7,
  step: ({ instruction, facts }) => {
    const earlier = facts.last.get(instruction.kind)
    if (earlier === undefined) return []
    const { raw } = instruction.keyword
    const message = `Multiple ${raw} instructions should not be used in the same stage because only the last one will be used`
    return [{ message, range: earlier.range, by: instruction }]
  },
}

import { findingAt, type Rule } from '../rule/rule.ts'

/** MaintainerDeprecated. */
export const maintainerDeprecated: Rule = {
  name: 'MaintainerDeprecated',
  description: 'The author of an image is a label, not MAINTAINER',
  url: 'https://docs.docker.com/go/dockerfile/rule/maintainer-deprecated/',
  isExperimental: false,
  order: 8,
  instruction: (instruction) => {
    if (instruction.kind !== 'maintainer') return []
    return [findingAt(instruction, 'Maintainer instruction is deprecated in favor of using label')]
  },
}

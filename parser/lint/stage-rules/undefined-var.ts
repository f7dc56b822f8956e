import { isSeen, type StageScope } from '../../scope/stage-scope.ts'
import { findingAt, type Rule } from '../rule/rule.ts'
import { similarName } from '../rule/similar-name.ts'

/** UndefinedVar: one finding for a variable and a word. */
export const undefinedVar: Rule = {
  name: 'UndefinedVar',
  description: 'Variables are defined before they are used',
  url: 'https://docs.docker.com/go/dockerfile/rule/undefined-var/',
  isExperimental: false,
  order: 11,
  words: ({ instruction, scope, words }) => {
    if (!scope.isComplete) return []
    return words.flatMap(({ unmatched }) => {
      const missing = [...unmatched].filter((name) => !scope.args.has(name) && isSeen(name))
      return missing.map((name) => findingAt(instruction, () => messageFor(name, scope)))
    })
  },
}

function messageFor(name: string, { variables }: StageScope): string {
  const names = Array.from(variables, ([key]) => key)
  return `Usage of undefined variable '$${name}'${similarName(name, names, '$')}`
}

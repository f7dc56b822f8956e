import { findingAt, type Rule } from '../rule/rule.ts'
import { similarName } from '../rule/similar-name.ts'

/** UndefinedArgInFrom. */
export const undefinedArgInFrom: Rule = {
  name: 'UndefinedArgInFrom',
  description: 'FROM uses only arguments that are declared before the first FROM',
  url: 'https://docs.docker.com/go/dockerfile/rule/undefined-arg-in-from/',
  isExperimental: false,
  order: 9,
  from: ({ stage, image, platform }, { names }) => {
    return [image, platform].flatMap((word) => {
      const missing = [...(word?.unmatched ?? [])].filter((name) => !names.has(name))
      return missing.map((name) => findingAt(stage.from, () => messageFor(name, names)))
    })
  },
}

function messageFor(name: string, names: ReadonlySet<string>): string {
  return `FROM argument '${name}' is not declared${similarName(name, names)}`
}

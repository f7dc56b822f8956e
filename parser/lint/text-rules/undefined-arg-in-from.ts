import { nearest } from '../../text/suggest.ts'
import { findingAt, type Rule } from '../rule/rule.ts'

/** Names that a suggestion is looked for among. */
const MAX_CANDIDATES = 500

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
  const similar = nearest(name, [...names].slice(0, MAX_CANDIDATES))
  const hint = similar === undefined ? '' : ` (did you mean ${similar}?)`
  return `FROM argument '${name}' is not declared${hint}`
}

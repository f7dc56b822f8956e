import { findingAt, type Rule } from '../rule/rule.ts'

/** DuplicateStageName. */
export const duplicateStageName: Rule = {
  name: 'DuplicateStageName',
  description: 'Every stage has a name of its own',
  url: 'https://docs.docker.com/go/dockerfile/rule/duplicate-stage-name/',
  isExperimental: false,
  order: 6,
  stage: ({ name, from }, names) => {
    if (name === undefined || !names.has(name)) return []
    const quoted = JSON.stringify(name)
    return [findingAt(from, `Duplicate stage name ${quoted}, stage names should be unique`)]
  },
}

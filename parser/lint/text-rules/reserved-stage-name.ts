import { findingAt, type Rule } from '../rule/rule.ts'

const RESERVED = new Set(['context', 'scratch'])

/** ReservedStageName. */
export const reservedStageName: Rule = {
  name: 'ReservedStageName',
  description: 'A stage has no name that already means something',
  url: 'https://docs.docker.com/go/dockerfile/rule/reserved-stage-name/',
  isExperimental: false,
  order: 5,
  stage: ({ name, from }) => {
    if (name === undefined || !RESERVED.has(name)) return []
    const quoted = JSON.stringify(name)
    const message = `Stage name should not use the same name as reserved stage ${quoted}`
    return [findingAt(from, message)]
  },
}

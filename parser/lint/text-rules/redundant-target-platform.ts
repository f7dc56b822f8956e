import { findingAt, type Rule } from '../rule/rule.ts'

/** RedundantTargetPlatform. */
export const redundantTargetPlatform: Rule = {
  name: 'RedundantTargetPlatform',
  description: 'FROM does not ask for the platform that it gets anyway',
  url: 'https://docs.docker.com/go/dockerfile/rule/redundant-target-platform/',
  isExperimental: false,
  order: 15,
  from: ({ stage, platform }, { values }) => {
    if (platform === undefined) return []
    const { value, matched, unmatched } = platform
    const isAlone = matched.size === 1 && matched.has('TARGETPLATFORM') && unmatched.size === 0
    if (!isAlone || value !== values.get('TARGETPLATFORM')) return []
    const written = stage.from.platform?.raw ?? ''
    const message = `Setting platform to predefined ${written} in FROM is redundant as this is the default behavior`
    return [findingAt(stage.from, message)]
  },
}

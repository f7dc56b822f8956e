import { type Platform, parsePlatform, TsbuildError } from '#core'
import { findingAt, type Rule } from '../rule/rule.ts'

/** FromPlatformFlagConstDisallowed. */
export const fromPlatformFlagConstDisallowed: Rule = {
  name: 'FromPlatformFlagConstDisallowed',
  description: 'FROM does not fix the platform of a stage',
  url: 'https://docs.docker.com/go/dockerfile/rule/from-platform-flag-const-disallowed/',
  isExperimental: false,
  order: 18,
  from: ({ stage: { from, name = '' }, platform: expanded }) => {
    if (expanded === undefined) return []
    const { value, matched, unmatched } = expanded
    if (value === undefined || matched.size > 0 || unmatched.size > 0) return []
    const platform = platformOf(value)
    if (platform === undefined) return []
    // A stage with the platform in its name is meant for that platform alone.
    if (name.includes(platform.os) || name.includes(platform.architecture)) return []
    const quoted = JSON.stringify(value)
    return [findingAt(from, `FROM --platform flag should not use constant value ${quoted}`)]
  },
}

function platformOf(value: string): Platform | undefined {
  try {
    return parsePlatform(value)
  } catch (cause) {
    if (cause instanceof TsbuildError) return undefined
    throw cause
  }
}

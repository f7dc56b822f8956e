import { parsePlatform, TsbuildError } from '#core'
import type { Dockerfile, Stage } from '../ast/ast.ts'
import { type Expanded, expandNoting } from '../scope/expand-noting.ts'
import type { Globals } from '../scope/globals.ts'
import { nearest } from '../text/suggest.ts'
import { isImageName } from './image-name.ts'
import type { Finding } from './linter.ts'
import * as text from './messages.ts'

/** Names that a suggestion is looked for among. */
const MAX_CANDIDATES = 500

/** InvalidDefaultArgInFrom: every base has a name, also when no build argument is given. */
export function checkDefaultNames(
  { stages, escape: escapeChar }: Dockerfile,
  { defaults }: Globals,
): readonly Finding[] {
  const lookup = (name: string): string | undefined => defaults.get(name)
  return stages.flatMap(({ from }): readonly Finding[] => {
    const { value } = expandNoting(from.image.raw, { lookup, escape: escapeChar })
    if (value === undefined || isImageName(value)) return []
    const message = text.invalidDefaultArg(from.image.raw)
    return [{ rule: 'InvalidDefaultArgInFrom', message, range: from.range, by: from }]
  })
}

/** UndefinedArgInFrom, RedundantTargetPlatform and FromPlatformFlagConstDisallowed. */
export function checkFroms(
  { stages, escape: escapeChar }: Dockerfile,
  globals: Globals,
): readonly Finding[] {
  const lookup = (name: string): string | undefined => globals.values.get(name)
  return stages.flatMap((stage) => {
    const { image, platform } = stage.from
    const found = undeclared(
      expandNoting(image.raw, { lookup, escape: escapeChar }),
      stage,
      globals,
    )
    if (platform === undefined) return found
    const expanded = expandNoting(platform.raw, { lookup, escape: escapeChar })
    return [
      ...found,
      ...undeclared(expanded, stage, globals),
      ...redundantPlatform(expanded, stage, globals),
      ...constantPlatform(expanded, stage),
    ]
  })
}

function undeclared(
  { unmatched }: Expanded,
  { from }: Stage,
  { names }: Globals,
): readonly Finding[] {
  const missing = [...unmatched].filter((name) => !names.has(name))
  return missing.map((name) => {
    const message = (): string =>
      text.undefinedArgInFrom(name, nearest(name, [...names].slice(0, MAX_CANDIDATES)))
    return { rule: 'UndefinedArgInFrom', message, range: from.range, by: from }
  })
}

function redundantPlatform(
  { value, matched, unmatched }: Expanded,
  { from }: Stage,
  { values }: Globals,
): readonly Finding[] {
  const isAlone = matched.size === 1 && matched.has('TARGETPLATFORM') && unmatched.size === 0
  if (!isAlone || value !== values.get('TARGETPLATFORM')) return []
  const message = text.redundantTargetPlatform(from.platform?.raw ?? '')
  return [{ rule: 'RedundantTargetPlatform', message, range: from.range, by: from }]
}

/** A stage that has the platform in its name is meant to be for that one. */
function constantPlatform(
  { value, matched, unmatched }: Expanded,
  { from, name = '' }: Stage,
): readonly Finding[] {
  if (value === undefined || matched.size > 0 || unmatched.size > 0) return []
  const platform = platformOf(value)
  if (platform === undefined) return []
  if (name.includes(platform.os) || name.includes(platform.architecture)) return []
  const message = text.constantPlatform(value)
  const { range } = from
  return [{ rule: 'FromPlatformFlagConstDisallowed', message, range, by: from }]
}

function platformOf(value: string): ReturnType<typeof parsePlatform> | undefined {
  try {
    return parsePlatform(value)
  } catch (cause) {
    if (cause instanceof TsbuildError) return undefined
    throw cause
  }
}

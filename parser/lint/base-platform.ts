import { formatPlatform, normalizePlatform, type Platform } from '#core'
import type { FromInstruction } from '../ast/ast.ts'
import type { Finding } from './linter.ts'
import * as text from './messages.ts'

/** The platform that a base image was asked for, and the one that it has. */
export interface BasePlatforms {
  /** As named in the Dockerfile, expanded. */
  readonly image: string
  readonly expected: Platform
  readonly actual: Platform
}

/** InvalidBaseImagePlatform: only images without an index can come for another platform. */
export function checkBasePlatform(
  from: FromInstruction,
  { image, expected, actual }: BasePlatforms,
): readonly Finding[] {
  const [wanted, given] = [normalizePlatform(expected), normalizePlatform(actual)]
  if (wanted.os === given.os && wanted.architecture === given.architecture) return []
  const message = text.baseImagePlatform(image, formatPlatform(given), formatPlatform(wanted))
  return [{ rule: 'InvalidBaseImagePlatform', message, range: from.range, by: from }]
}

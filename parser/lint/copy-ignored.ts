import type { AddInstruction, CopyInstruction } from '../ast/ast.ts'
import type { IgnoreRules } from '../patterns/dockerignore.ts'
import { cleanPath } from '../patterns/path-pattern.ts'
import type { StageScope } from '../scope/stage-scope.ts'
import type { Finding } from './linter.ts'
import * as text from './messages.ts'

const REMOTE = /^(?:https?|git|ssh):\/\/|^git@[^/]+:/i

/** CopyIgnoredFile: sources of the build context that are left out of it. */
export function checkCopiedFiles(
  instruction: CopyInstruction | AddInstruction,
  scope: StageScope,
  ignore: IgnoreRules,
): readonly Finding[] {
  if (instruction.kind === 'copy' && instruction.from !== undefined) return []
  return instruction.sources.flatMap(({ raw }): readonly Finding[] => {
    const source = scope.expand(raw).value
    if (source === undefined || REMOTE.test(source)) return []
    const path = cleanPath(source)
    if (!ignore.isIgnored(path.length > 1 ? path.replace(/^\//, '') : path)) return []
    const message = text.copyIgnoredFile(instruction.kind === 'copy' ? 'Copy' : 'Add', path)
    return [{ rule: 'CopyIgnoredFile', message, range: instruction.range, by: instruction }]
  })
}

/**
 * True when a `.dockerignore` takes something back in: then it cannot be told from the name of a
 * directory whether anything of it is left.
 */
export function hasExceptions(dockerignore: string): boolean {
  return dockerignore.split('\n').some((line) => line.trimStart().startsWith('!'))
}

import { cleanPath } from '../../patterns/path-pattern.ts'
import { expandIn } from '../../scope/stage-scope.ts'
import { findingAt, type Rule } from '../rule/rule.ts'

const REMOTE = /^(?:https?|git|ssh):\/\/|^git@[^/]+:/i

/** CopyIgnoredFile: sources in the build context that are left out of it. */
export const copyIgnoredFile: Rule = {
  name: 'CopyIgnoredFile',
  description: 'COPY and ADD do not ask for what .dockerignore excludes',
  url: 'https://docs.docker.com/go/dockerfile/rule/copy-ignored-file/',
  isExperimental: false,
  order: 19,
  step: ({ instruction, scope, ignore }) => {
    if (instruction.kind !== 'copy' && instruction.kind !== 'add') return []
    const isFromStage = instruction.kind === 'copy' && instruction.from !== undefined
    if (ignore === undefined || isFromStage) return []
    return instruction.sources.flatMap(({ raw }) => {
      const source = expandIn(scope, raw).value
      if (source === undefined || REMOTE.test(source)) return []
      const path = cleanPath(source)
      if (!ignore.isIgnored(path.length > 1 ? path.replace(/^\//, '') : path)) return []
      const [verb, quoted] = [instruction.kind === 'copy' ? 'Copy' : 'Add', JSON.stringify(path)]
      const message = `Attempting to ${verb} file ${quoted} that is excluded by .dockerignore`
      return [findingAt(instruction, message)]
    })
  },
}

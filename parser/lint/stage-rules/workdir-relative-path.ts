import { expandIn } from '../../scope/stage-scope.ts'
import { findingAt, type Rule } from '../rule/rule.ts'

/** WorkdirRelativePath: only the first WORKDIR can depend on the base image. */
export const workdirRelativePath: Rule = {
  name: 'WorkdirRelativePath',
  description: 'The first WORKDIR does not depend on that of the base image',
  url: 'https://docs.docker.com/go/dockerfile/rule/workdir-relative-path/',
  isExperimental: false,
  order: 10,
  step: ({ instruction, scope, facts }) => {
    if (instruction.kind !== 'workdir' || facts.hasWorkdir) return []
    const path = expandIn(scope, instruction.path.raw).value
    if (path === undefined || isAbsolute(path, facts.os)) return []
    const quoted = JSON.stringify(path)
    const message = `Relative workdir ${quoted} can have unexpected results if the base image changes`
    return [findingAt(instruction, message)]
  },
}

function isAbsolute(path: string, os: string): boolean {
  return os === 'windows' ? /^(?:[a-z]:)?[\\/]/i.test(path) : path.startsWith('/')
}

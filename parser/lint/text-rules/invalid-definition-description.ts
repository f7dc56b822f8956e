import type { ArgInstruction, FromInstruction } from '../../ast/ast.ts'
import { commentsOf } from '../../lines/instruction-comments.ts'
import { findingAt, type Rule } from '../rule/rule.ts'

/** InvalidDefinitionDescription: the last comment above begins with a name that is defined there. */
export const invalidDefinitionDescription: Rule = {
  name: 'InvalidDefinitionDescription',
  description: 'A comment above ARG or a named FROM describes it',
  url: 'https://docs.docker.com/go/dockerfile/rule/invalid-definition-description/',
  isExperimental: true,
  order: 20,
  instruction: (instruction) => {
    if (instruction.kind !== 'arg' && instruction.kind !== 'from') return []
    const names = namesOf(instruction)
    const last = commentsOf(instruction).at(-1)
    const [first, ...more] = names
    if (last === undefined || first === undefined) return []
    const [word = ''] = last.split(' ', 1)
    if (names.includes(word)) return []
    const kind = instruction.kind === 'arg' ? 'ARG' : 'FROM'
    const name = more.length > 0 ? '<arg_key>' : first
    const message = `Comment for ${kind} should follow the format: \`# ${name} <description>\``
    return [findingAt(instruction, message)]
  },
}

function namesOf(instruction: ArgInstruction | FromInstruction): readonly string[] {
  if (instruction.kind === 'arg') return instruction.args.map(({ key }) => key)
  return instruction.as === undefined ? [] : [instruction.as.raw.toLowerCase()]
}

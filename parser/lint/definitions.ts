import type { ArgInstruction, FromInstruction, MaintainerInstruction } from '../ast/ast.ts'
import { commentsOf } from '../lines/instruction-comments.ts'
import type { Finding } from './linter.ts'
import * as text from './messages.ts'

/** InvalidDefinitionDescription: the last comment above begins with a name that is defined there. */
export function checkDescription(
  instruction: ArgInstruction | FromInstruction,
): readonly Finding[] {
  const names = namesOf(instruction)
  const last = commentsOf(instruction).at(-1)
  const [first, ...more] = names
  if (last === undefined || first === undefined) return []
  const [word = ''] = last.split(' ', 1)
  if (names.includes(word)) return []
  const kind = instruction.kind === 'arg' ? 'ARG' : 'FROM'
  const message = text.definitionDescription(kind, more.length > 0 ? '<arg_key>' : first)
  const { range } = instruction
  return [{ rule: 'InvalidDefinitionDescription', message, range, by: instruction }]
}

function namesOf(instruction: ArgInstruction | FromInstruction): readonly string[] {
  if (instruction.kind === 'arg') return instruction.args.map(({ key }) => key)
  return instruction.as === undefined ? [] : [instruction.as.raw.toLowerCase()]
}

/** MaintainerDeprecated. */
export function checkMaintainer(instruction: MaintainerInstruction): readonly Finding[] {
  const { range } = instruction
  const message = text.maintainerDeprecated
  return [{ rule: 'MaintainerDeprecated', message, range, by: instruction }]
}

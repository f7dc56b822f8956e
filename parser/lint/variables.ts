import type { RunMount, StageInstruction } from '../ast/ast.ts'
import type { Expanded } from '../scope/expand-noting.ts'
import { NEVER_SET, type StageScope } from '../scope/stage-scope.ts'
import { nearest } from '../text/suggest.ts'
import type { Finding } from './linter.ts'
import * as text from './messages.ts'

/** Names that a suggestion is looked for among. */
const MAX_CANDIDATES = 500

/** UndefinedVar: one finding for a variable and a word. ARG is a matter of `undefinedVariables`. */
export function checkVariables(
  instruction: StageInstruction,
  scope: StageScope,
): readonly Finding[] {
  return [...expansions(instruction, scope)].flatMap((word) =>
    undefinedVariables(word, instruction, scope),
  )
}

/** The undefined variables of one expanded word. */
export function undefinedVariables(
  { unmatched }: Expanded,
  instruction: StageInstruction,
  scope: StageScope,
): readonly Finding[] {
  if (!scope.isComplete) return []
  const missing = [...unmatched].filter((name) => !scope.isDeclared(name) && !NEVER_SET.has(name))
  return missing.map((name) => {
    const message = (): string =>
      text.undefinedVar(name, nearest(name, [...scope.names].slice(0, MAX_CANDIDATES)))
    return { rule: 'UndefinedVar', message, range: instruction.range, by: instruction }
  })
}

/** The words of an instruction that the builder expands, in the order in which it does. */
function* expansions(instruction: StageInstruction, scope: StageScope): Generator<Expanded> {
  for (const { raw } of wordsOf(instruction)) yield scope.expand(raw)
  if (instruction.kind !== 'copy' && instruction.kind !== 'add') return
  for (const { expand, content } of instruction.inline) {
    if (expand) yield scope.expandBody(content)
  }
}

function wordsOf(instruction: StageInstruction): readonly { readonly raw: string }[] {
  switch (instruction.kind) {
    case 'env':
    case 'label':
      return instruction.entries.flatMap(({ key, value }) => [key, value])
    case 'copy':
    case 'add': {
      const { chown, chmod, sources, destination } = instruction
      const checksum = instruction.kind === 'add' ? instruction.checksum : undefined
      const flags = [chown, chmod, checksum].filter((word) => word !== undefined)
      return [...flags, ...sources, destination]
    }
    case 'workdir':
      return [instruction.path]
    case 'user':
      return [instruction.user]
    case 'stopsignal':
      return [instruction.signal]
    case 'volume':
      return instruction.paths
    case 'run':
      return instruction.mounts.flatMap(mountValues)
    default:
      return []
  }
}

function mountValues({ fields }: RunMount): readonly { readonly raw: string }[] {
  return [...fields].flatMap(([key, raw]) => (key === 'from' ? [] : [{ raw: raw ?? '' }]))
}

import type { RunMount, StageInstruction } from '../../ast/ast.ts'
import type { IgnoreRules } from '../../patterns/dockerignore.ts'
import { type Expanded, expandTracked } from '../../scope/expanded.ts'
import { contextOf, expandIn, type StageScope } from '../../scope/stage-scope.ts'
import type { ScopedStep } from '../../scope/walk-stages.ts'
import type { StageFacts } from './stage-facts.ts'

/** An instruction of a stage with all that a check can know of it. */
export interface CheckedStep extends ScopedStep {
  /** What holds before the instruction. */
  readonly facts: StageFacts
  /** `undefined` when nothing is left out of the build context for certain. */
  readonly ignore: IgnoreRules | undefined
}

/** Words of one instruction, and what is defined where they are expanded. */
export interface WordUses {
  readonly instruction: StageInstruction
  readonly scope: StageScope
  /** In the order in which the builder expands them. */
  readonly words: readonly Expanded[]
}

/** The words of an instruction other than ARG that the builder expands. */
export function wordUses({ instruction, scope, entries }: ScopedStep): WordUses {
  if (instruction.kind === 'env') {
    return { instruction, scope, words: entries.flatMap(({ key, value }) => [key, value]) }
  }
  const words = wordsOf(instruction).map(({ raw }) => expandIn(scope, raw))
  if (instruction.kind !== 'copy' && instruction.kind !== 'add') {
    return { instruction, scope, words }
  }
  // A heredoc keeps its quotes, and its escape is always a backslash.
  const context = { ...contextOf(scope), escape: '\\', quotes: 'ignore' } as const
  const bodies = instruction.inline.filter(({ expand }) => expand)
  const expanded = bodies.map(({ content }) => expandTracked(content, context))
  return { instruction, scope, words: [...words, ...expanded] }
}

function wordsOf(instruction: StageInstruction): readonly { readonly raw: string }[] {
  switch (instruction.kind) {
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

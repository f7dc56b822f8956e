import type { StageInstruction } from '../ast/ast.ts'
import type { InstructionGraph, LinkedStage } from '../graph/graph.ts'
import { type BaseFacts, type ScopeInput, StageScope } from './stage-scope.ts'

/** An instruction and what is defined where it stands. */
export interface Step {
  readonly linked: LinkedStage
  readonly instruction: StageInstruction
  readonly scope: StageScope
}

/** What the base image of a stage brings; `undefined` when nothing is known of it. */
export type BasesOf = (linked: LinkedStage) => BaseFacts | undefined

const SCRATCH: BaseFacts = { env: [], hasShell: false }

/**
 * Goes through the instructions of all linked stages, in file order. The scope goes along with them:
 * it is that of the instruction only until the next step. What an ARG declares is up to the visitor.
 */
export function* walkSteps(
  graph: InstructionGraph,
  input: ScopeInput,
  basesOf: BasesOf,
): Generator<Step> {
  const scopes = new Map<number, StageScope>()
  for (const linked of graph.stages) {
    const { base, stage } = linked
    const parent = base.kind === 'stage' ? scopes.get(base.index) : undefined
    const facts = base.kind === 'scratch' ? SCRATCH : basesOf(linked)
    const scope = parent?.child() ?? StageScope.onImage(input, facts, systemOf(linked, input))
    scopes.set(stage.index, scope)
    for (const instruction of stage.instructions) {
      yield { linked, instruction, scope }
      scope.advance(instruction)
    }
  }
}

/** The operating system that a stage is for. */
function systemOf({ platform }: LinkedStage, { globals }: ScopeInput): string {
  const written = platform ?? globals.values.get('TARGETPLATFORM') ?? ''
  return /^[^(/]*/.exec(written)?.[0].toLowerCase() ?? ''
}

import type { Dockerfile, StageInstruction } from '../ast/ast.ts'
import type { InstructionGraph, LinkedStage } from '../graph/graph.ts'
import type { DeclaredArg } from './declared-arg.ts'
import type { GlobalScope } from './global-scope.ts'
import {
  applyEnv,
  childScope,
  declareArg,
  type ExpandedEntry,
  parseEnv,
  type StageScope,
  stageScope,
} from './stage-scope.ts'

/** A stage and its instructions after evaluation. */
export interface ScopedStage {
  readonly linked: LinkedStage
  readonly steps: readonly ScopedStep[]
}

/** An instruction, what is defined before it, and what it defines. */
export interface ScopedStep {
  readonly instruction: StageInstruction
  readonly scope: StageScope
  /** The variables of an ARG; empty for other instructions. */
  readonly args: readonly StageArg[]
  /** The entries of an ENV; empty for other instructions. */
  readonly entries: readonly ExpandedEntry[]
}

/** A variable of an ARG, and what is defined before it. */
export interface StageArg extends DeclaredArg {
  readonly scope: StageScope
}

/** `KEY=value` lines of the base image of a stage; `undefined` when the image is not known. */
export type EnvLookup = (linked: LinkedStage) => readonly string[] | undefined

/** Evaluates the instructions of all linked stages, in file order. */
export function* walkStages(
  graph: InstructionGraph,
  globals: GlobalScope,
  envOf: EnvLookup,
): Generator<ScopedStage> {
  const scopes = new Map<number, StageScope>()
  for (const linked of graph.stages) {
    const { base, stage } = linked
    const parent = base.kind === 'stage' ? scopes.get(base.index) : undefined
    const start = parent === undefined ? undefined : childScope(parent)
    let scope = start ?? imageScope(linked, graph.dockerfile, envOf)
    const steps = stage.instructions.map((instruction): ScopedStep => {
      const before = scope
      const { after, ...defined } = evaluate(before, instruction, globals)
      scope = after
      return { instruction, scope: before, ...defined }
    })
    scopes.set(stage.index, scope)
    yield { linked, steps }
  }
}

/** Every image has a PATH; of its value the checks need only that it is absolute. */
function imageScope(
  linked: LinkedStage,
  { escape: mark }: Dockerfile,
  envOf: EnvLookup,
): StageScope {
  const lines = linked.base.kind === 'scratch' ? [] : envOf(linked)
  const entries = [['PATH', '/'] as const, ...parseEnv(lines ?? [])]
  return stageScope(entries, { escape: mark, isComplete: lines !== undefined })
}

interface Evaluated extends Pick<ScopedStep, 'args' | 'entries'> {
  readonly after: StageScope
}

function evaluate(
  scope: StageScope,
  instruction: StageInstruction,
  globals: GlobalScope,
): Evaluated {
  if (instruction.kind === 'env') {
    const { entries, scope: after } = applyEnv(scope, instruction)
    return { args: [], entries, after }
  }
  if (instruction.kind !== 'arg') return { args: [], entries: [], after: scope }
  let after = scope
  const args = instruction.args.map((one): StageArg => {
    const before = after
    const { declared, scope: next } = declareArg(before, one, { instruction, globals })
    after = next
    return { ...declared, scope: before }
  })
  return { args, entries: [], after }
}

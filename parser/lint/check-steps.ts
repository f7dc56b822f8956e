import type { StageInstruction } from '../ast/ast.ts'
import type { InstructionGraph, LinkedStage } from '../graph/graph.ts'
import type { IgnoreRules } from '../patterns/dockerignore.ts'
import { expandList } from '../scope/expanded.ts'
import type { GlobalScope } from '../scope/global-scope.ts'
import { contextOf } from '../scope/stage-scope.ts'
import { type ScopedStep, walkStages } from '../scope/walk-stages.ts'
import type { Linter } from './linter.ts'
import { type CheckedStep, wordUses } from './rule/checked-step.ts'
import { applyFacts, childFacts, type StageFacts } from './rule/stage-facts.ts'

/** What a base image brings to the checks of a stage. */
export interface BaseFacts {
  /** `KEY=value`. */
  readonly env: readonly string[]
  readonly hasShell: boolean
}

/** What the checks of steps need besides the graph. */
export interface StepsContext {
  readonly globals: GlobalScope
  readonly baseOf: (linked: LinkedStage) => BaseFacts | undefined
  /** `undefined` when nothing is left out of the build context for certain. */
  readonly ignore: IgnoreRules | undefined
}

/** Runs the rules on the instructions of all linked stages, in file order. */
export function checkSteps(
  graph: InstructionGraph,
  linter: Linter,
  { globals, baseOf, ignore }: StepsContext,
): void {
  const known = new Map<number, StageFacts>()
  for (const { linked, steps } of walkStages(graph, globals, (stage) => baseOf(stage)?.env)) {
    let facts = startFacts(linked, known, { globals, baseOf })
    for (const step of steps) {
      if (linter.isFull) return
      checkStep({ ...step, facts, ignore }, linter)
      facts = applyFacts(facts, step.instruction)
    }
    known.set(linked.stage.index, facts)
  }
}

function startFacts(
  linked: LinkedStage,
  known: ReadonlyMap<number, StageFacts>,
  { globals, baseOf }: Pick<StepsContext, 'globals' | 'baseOf'>,
): StageFacts {
  const { base, platform } = linked
  const parent = base.kind === 'stage' ? known.get(base.index) : undefined
  if (parent !== undefined) return childFacts(parent)
  const hasShell = base.kind === 'image' && baseOf(linked)?.hasShell === true
  const written = platform ?? globals.values.get('TARGETPLATFORM') ?? ''
  const os = /^[^(/]*/.exec(written)?.[0].toLowerCase() ?? ''
  return { os, hasShell, hasWorkdir: false, last: new Map() }
}

function checkStep(step: CheckedStep, linter: Linter): void {
  const { instruction } = step
  if (instruction.kind === 'arg') {
    checkArgs(step, instruction, linter)
    return
  }
  const uses = wordUses(step)
  linter.run((rule) => rule.words?.(uses))
  linter.run((rule) => rule.step?.(step))
  if (instruction.kind !== 'expose') return
  const context = contextOf(step.scope)
  const ports = instruction.ports.flatMap(({ raw }) => expandList(raw, context))
  for (const port of ports.toSorted()) linter.run((rule) => rule.port?.(port, step))
}

function checkArgs({ args }: ScopedStep, instruction: StageInstruction, linter: Linter): void {
  for (const arg of args) {
    linter.run((rule) => rule.arg?.(arg))
    if (arg.fallback === undefined) continue
    const uses = { instruction, scope: arg.scope, words: [arg.fallback] }
    linter.run((rule) => rule.words?.(uses))
  }
}

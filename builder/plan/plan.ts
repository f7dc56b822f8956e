import { formatPlatform } from '#core'
import type { InstructionGraph, SourceRange, SourceRef, StageInstruction } from '#parser'
import type { BaseLookup } from './bases/resolve-base.ts'
import { cacheMarks } from './stage/cache-marks.ts'
import { baseState, childState, emptyState } from './stage/inherit.ts'
import { imagePlatforms, stagePlatform } from './stage/platforms.ts'
import { imageConfig } from './stage/stage-config.ts'
import type { PlanOptions, StagePlan } from './stage/stage-plan.ts'
import { addHistory, applyMetadata, type StageState } from './stage/stage-state.ts'
import { StepNames } from './stage/step-names.ts'
import { planCopy } from './steps/copy-plan.ts'
import { planRun } from './steps/run-plan.ts'
import { planWorkdir } from './steps/workdir-plan.ts'
import { withErrorsAt } from './variables/expand.ts'
import type { Plan, VertexId } from './vertices/vertex.ts'
import { VertexList } from './vertices/vertex-list.ts'

/**
 * Turns linked stages and pinned bases into vertices. Pure: it asks no registry and reads no file.
 * @throws {SourceError} DOCKERFILE_INVALID, UNSUPPORTED, PERMISSION_DENIED
 */
export function planBuild(graph: InstructionGraph, bases: BaseLookup, options: PlanOptions): Plan {
  const label = options.isOneOfSeveral ? formatPlatform(options.targetPlatform) : undefined
  const vertices = new VertexList(bases, {
    scope: label,
    maxMtime: options.maxMtime,
    defaultMtime: options.sourceDateEpoch,
    contexts: options.contexts,
    isFresh: options.fresh === 'all',
  })
  const results = new Map<number, StageState>()
  for (const linked of graph.stages) {
    const names = new StepNames(linked, graph, label)
    const topOf = (source: SourceRef, range: SourceRange): VertexId | undefined => {
      if (source.kind === 'scratch') return undefined
      if (source.kind === 'stage') return results.get(source.index)?.top
      if (source.context !== undefined) {
        const files = vertices.contextSource(source.context, range)
        if (files.kind === 'vertex') return files.vertex
        return vertices.contextRoot(source.context, range).id
      }
      const label = ({ name }: { readonly name: string }): string => `FROM ${name}`
      const image = vertices.image(source.name, options.targetPlatform, { label, range })
      return image.base.layers.length > 0 ? image.id : undefined
    }
    const plan: StagePlan = { linked, graph, options, names, vertices, topOf }
    results.set(linked.stage.index, planStage(plan, results))
  }
  const state = results.get(graph.target.stage.index)
  if (state === undefined) throw new Error('the target is not among the linked stages')
  const image = plannedImage(state, options)
  return { vertices: vertices.all, image, sourceDateEpoch: options.sourceDateEpoch }
}

function plannedImage(state: StageState, options: PlanOptions): Plan['image'] {
  const { top, author, history } = state
  const Labels = state.config.Labels.with(Object.entries(options.labels))
  const config = imageConfig({ ...state.config, Labels }, state.scope.env)
  const platforms = imagePlatforms(state.claimed, options)
  return { ...platforms, top, config, author, history: [...history] }
}

function planStage(plan: StagePlan, results: ReadonlyMap<number, StageState>): StageState {
  const { stage } = plan.linked
  return stage.instructions.reduce(
    (state, instruction) =>
      withErrorsAt({ raw: instruction.text, range: instruction.range }, () =>
        plan.vertices.marked(cacheMarks(instruction, stage, plan.options.fresh), () =>
          planInstruction(state, instruction, plan),
        ),
      ),
    startState(plan, results),
  )
}

function startState(plan: StagePlan, results: ReadonlyMap<number, StageState>): StageState {
  const { linked, graph, options, names, vertices } = plan
  const { base, stage } = linked
  const { escape: mark } = graph.dockerfile
  const platform = stagePlatform(linked, options.targetPlatform)
  if (base.kind === 'scratch') {
    // scratch has the target platform even with `--platform`, unless a named context replaces an
    // image by it.
    const shown = base.name === undefined ? options.targetPlatform : platform
    return emptyState({ platform: shown, escape: mark })
  }
  if (base.kind === 'stage') {
    const parent = results.get(base.index)
    if (parent === undefined) throw new Error(`stage ${base.index} comes after its user`)
    return childState(parent)
  }
  if (base.context !== undefined) {
    const root = vertices.contextRoot(base.context, stage.from.range)
    return addHistory(emptyState({ platform, escape: mark }), root.name, root.id)
  }
  const image = vertices.image(base.name, platform, {
    label: ({ name }) => names.step(`FROM ${name}`),
    range: stage.from.range,
  })
  return withErrorsAt({ raw: stage.from.image.raw, range: stage.from.range }, () =>
    baseState(image.base, { platform, escape: mark }, image.id),
  )
}

function planInstruction(
  state: StageState,
  instruction: StageInstruction,
  plan: StagePlan,
): StageState {
  switch (instruction.kind) {
    case 'run':
      return planRun(state, instruction, plan)
    case 'copy':
    case 'add':
      return planCopy(state, instruction, plan)
    case 'workdir':
      return planWorkdir(state, instruction, plan)
    default:
      return applyMetadata(state, instruction, plan.options.globals)
  }
}

import { formatPlatform, type Platform, parsePlatform } from '#core'
import type {
  Dockerfile,
  InstructionGraph,
  LinkedStage,
  SourceRange,
  SourceRef,
  StageInstruction,
  WorkdirInstruction,
} from '#parser'
import type { BaseLookup } from './bases/bases.ts'
import { imagePlatforms } from './image-platform.ts'
import { baseState, childState, emptyState } from './stage/inherit.ts'
import { changeDirectory, resolvePath, withSeparators } from './stage/paths.ts'
import { finishedConfig } from './stage/stage-config.ts'
import {
  applyMetadata,
  noted,
  refuseWindowsLayers,
  type StageState,
  withConfig,
  workingDirectory,
} from './stage/stage-state.ts'
import { StepNames, shownText } from './stage/step-names.ts'
import { planCopy } from './steps/copy-plan.ts'
import { planRun } from './steps/run-plan.ts'
import { expandWith, located } from './variables/expand.ts'
import type { GlobalScope } from './variables/scope.ts'
import type { NamedContext } from './vertices/named-context.ts'
import type { StepSettings } from './vertices/step-settings.ts'
import type { Plan, VertexId } from './vertices/vertex.ts'
import { VertexList } from './vertices/vertex-list.ts'

export interface PlanOptions {
  readonly globals: GlobalScope
  readonly targetPlatform: Platform
  /** The platform was asked for: then the image is for it, whatever its base says. */
  readonly isPlatformGiven?: boolean
  readonly network: 'default' | 'none' | 'host'
  readonly steps?: StepSettings | undefined
  /** One of the plans of an index: names and ids of vertices tell the platform. */
  readonly isOneOfSeveral?: boolean
  /** `SOURCE_DATE_EPOCH` in milliseconds: no time of the image that is new is later. */
  readonly epoch?: number | undefined
  /** For every vertex; see there. */
  readonly latest?: number | undefined
  /** Folders, repositories and files that the linked stages name instead of images. */
  readonly contexts?: ReadonlyMap<string, NamedContext> | undefined
  /** Put on the image last; they win over LABEL. */
  readonly labels: Readonly<Record<string, string>>
  /** Stages whose steps are done whether or not their results are known. */
  readonly fresh?: readonly string[]
}

/** What planning one instruction needs to know of everything around it. */
export interface StagePlan {
  readonly linked: LinkedStage
  readonly graph: InstructionGraph
  readonly options: PlanOptions
  readonly names: StepNames
  readonly vertices: VertexList
  /** The top vertex of a stage or image that `--from` names. */
  readonly topOf: (source: SourceRef, range: SourceRange) => VertexId | undefined
}

/**
 * Turns linked stages and pinned bases into vertices. Pure: everything that had to be asked for is
 * in its arguments.
 * @throws {SourceError} DOCKERFILE_INVALID, UNSUPPORTED, PERMISSION_DENIED
 */
export function planBuild(graph: InstructionGraph, bases: BaseLookup, options: PlanOptions): Plan {
  const label = options.isOneOfSeveral ? formatPlatform(options.targetPlatform) : undefined
  const vertices = new VertexList(bases, {
    scope: label,
    latest: options.latest,
    madeAt: options.epoch,
    contexts: options.contexts,
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
      const label = (): string => `FROM ${source.name}`
      const image = vertices.image(source.name, options.targetPlatform, { label, range })
      return image.base.layers.length > 0 ? image.id : undefined
    }
    const plan: StagePlan = { linked, graph, options, names, vertices, topOf }
    const make = (): StageState => planStage(plan, results)
    const isFresh = isNamed(linked.stage, options.fresh ?? [])
    results.set(linked.stage.index, isFresh ? vertices.fresh(make) : make())
  }
  const state = results.get(graph.target.stage.index)
  if (state === undefined) throw new Error('the target is not among the linked stages')
  const image = finished(state, options)
  return { vertices: vertices.all, image, epoch: options.epoch }
}

/** Names of stages have no case; a stage without one cannot be named. */
function isNamed({ name }: LinkedStage['stage'], names: readonly string[]): boolean {
  return name !== undefined && names.some((one) => one.toLowerCase() === name.toLowerCase())
}

function finished(state: StageState, options: PlanOptions): Plan['image'] {
  const { top, author, history } = state
  const Labels = state.config.Labels.with(Object.entries(options.labels))
  const config = finishedConfig({ ...state.config, Labels })
  const platforms = imagePlatforms(state.claimed, options)
  return { ...platforms, top, config, author, history: [...history] }
}

function planStage(plan: StagePlan, results: ReadonlyMap<number, StageState>): StageState {
  return plan.linked.stage.instructions.reduce(
    (state, instruction) =>
      located({ raw: instruction.text, range: instruction.range }, () =>
        planInstruction(state, instruction, plan),
      ),
    startState(plan, results),
  )
}

function startState(plan: StagePlan, results: ReadonlyMap<number, StageState>): StageState {
  const { linked, options, names, vertices } = plan
  const { base, stage } = linked
  const platform = stagePlatform(linked, options.targetPlatform)
  if (base.kind === 'scratch') {
    // Nothing is of the platform that is built for, whatever its FROM says; what stands for an image is not.
    return emptyState(base.name === undefined ? options.targetPlatform : platform)
  }
  if (base.kind === 'stage') {
    const parent = results.get(base.index)
    if (parent === undefined) throw new Error(`stage ${base.index} comes after its user`)
    return childState(parent)
  }
  if (base.context !== undefined) {
    const root = vertices.contextRoot(base.context, stage.from.range)
    return noted(emptyState(platform), root.name, root.id)
  }
  const image = vertices.image(base.name, platform, {
    label: ({ name }) => names.step(`FROM ${name}`),
    range: stage.from.range,
  })
  return located({ raw: stage.from.image.raw, range: stage.from.range }, () =>
    baseState(image.base, platform, image.id),
  )
}

/**
 * `--platform` of the stage's FROM, else the platform that is built for.
 * @throws {SourceError} PLATFORM_MISMATCH
 */
export function stagePlatform({ stage, platform }: LinkedStage, target: Platform): Platform {
  if (platform === undefined) return target
  return located(stage.from.platform ?? stage.from.image, () => parsePlatform(platform))
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
      return applyMetadata(state, instruction, foldScope(plan.graph.dockerfile, plan.options))
  }
}

function foldScope(
  dockerfile: Dockerfile,
  options: PlanOptions,
): Parameters<typeof applyMetadata>[2] {
  return { globals: options.globals, escape: dockerfile.escape }
}

/** WORKDIR: the config, and the directory with its missing parents as a layer. */
function planWorkdir(
  state: StageState,
  instruction: WorkdirInstruction,
  plan: StagePlan,
): StageState {
  const written = expandWith(instruction.path, state.env, plan.graph.dockerfile.escape)
  const { os } = state.platform
  const path = changeDirectory(workingDirectory(state), written, os)
  const changed = withConfig(state, { WorkingDir: withSeparators(path, os) })
  const createdBy = `WORKDIR ${path}`
  if (path === '/') return noted(changed, createdBy)
  refuseWindowsLayers(state)
  const user = state.config.User ?? ''
  const [name = '', group] = user.split(':', 2)
  const owner = name === '' ? {} : { owner: { user: name, ...(group ? { group } : {}) } }
  const id = plan.vertices.add({
    op: 'files',
    name: plan.names.step(shownText(instruction.text, state.env, plan.graph.dockerfile.escape)),
    range: instruction.range,
    root: state.top,
    sources: [],
    actions: [{ kind: 'mkdir', path: resolvePath('/', path), mode: 0o755, ...owner }],
    link: false,
  })
  return noted(changed, createdBy, id)
}

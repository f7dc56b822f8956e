import {
  type ErrorCode,
  formatPlatform,
  type Platform,
  suggestion,
  TsbuildError,
  together,
} from '#core'
import {
  type Dockerfile,
  expandWord,
  type GlobalScope,
  type InstructionGraph,
  type LinkedStage,
  linkStages,
  parseTrigger,
  type Replacement,
  SourceError,
  type SourceRange,
  type StageInstruction,
  type Word,
} from '#parser'
import { type BaseLookup, checkImageName, type ResolvedBase } from './bases/resolve-base.ts'
import { stagePlatform } from './stage/platforms.ts'
import { expandWith } from './variables/expand.ts'

/** What linking the stages and resolving their images needs. */
export interface ResolveGraphOptions {
  readonly globals: GlobalScope
  readonly target: string | undefined
  /** `all`: also the stages that the target does not need. `target` unless given. */
  readonly stages?: 'all' | 'target' | undefined
  readonly targetPlatform: Platform
  /** Named contexts; see `LinkOptions`. */
  readonly replace?: ((name: string) => Replacement | undefined) | undefined
  readonly resolve: (name: string, platform: Platform, signal: AbortSignal) => Promise<ResolvedBase>
  /** Gets the stages while their images are being resolved; again when triggers have changed them. */
  readonly onLinked?: ((graph: InstructionGraph) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Linked stages with all triggers spliced in, and the images that they name. */
export interface ResolvedGraph {
  readonly graph: InstructionGraph
  readonly bases: BaseLookup
}

interface NeededBase {
  readonly name: string
  readonly platform: Platform
  readonly range: SourceRange
  /** Names of the stages above, for suggestions. */
  readonly stagesAbove: () => readonly string[]
}

/** Failures that do not suggest a wrong name. */
const NOT_ABOUT_NAMES: ReadonlySet<ErrorCode> = new Set(['CANCELLED', 'PLATFORM_MISMATCH'])

/** Of all stages together: each of many stages gets all that the stage below it has. */
const MAX_TRIGGERS = 10_000

/**
 * Links the stages that the target needs, resolves their base images in parallel and splices in the
 * ONBUILD triggers of these images. Triggers may name further stages and images, so this repeats
 * until there are no new ones.
 * @throws {SourceError} for a name that cannot be resolved, at the line that names it
 */
export async function resolveGraph(
  dockerfile: Dockerfile,
  options: ResolveGraphOptions,
): Promise<ResolvedGraph> {
  const bases = new Map<string, ResolvedBase>()
  const spliced = new Map<number, number>()
  const scope = { variables: options.globals.values, escape: dockerfile.escape }
  for (let current = dockerfile; ; ) {
    const graph = linkStages(current, {
      target: options.target,
      scope: options.stages,
      expand: (word) => expandWith(word, scope),
      suggest: (word) => suggestionFor(word, dockerfile, options.globals),
      replace: options.replace,
    })
    // Of unused stages, platforms and names are checked too, but not their steps and images.
    for (const named of imagesOf(graph.unused, current, options)) checkAt(named)
    const missing = imagesOf(graph.stages, current, options).filter(
      (needed) => !bases.has(keyOf(needed)),
    )
    const resolving = missing.map((needed) => async (signal: AbortSignal) => {
      bases.set(keyOf(needed), await resolveAt(needed, options, signal))
    })
    const resolved = together(resolving, options.signal)
    options.onLinked?.(graph)
    await resolved
    const triggers = triggersOf(graph, { bases, spliced, options })
    if (triggers.size === 0) return { graph, bases: lookupIn(bases) }
    current = splice(current, triggers)
  }
}

/** ` (did you mean NAME?)` for the first unset variable that is nearly an argument. */
function suggestionFor(word: Word, dockerfile: Dockerfile, { values }: GlobalScope): string {
  const unset: string[] = []
  expandWord(word.raw, {
    lookup: (name) => values.get(name),
    escape: dockerfile.escape,
    onUndefined: (name) => unset.push(name),
  })
  const meant = unset.flatMap((name) => suggestion(name, values.keys(), 2) ?? [])[0]
  return meant === undefined ? '' : ` (did you mean ${meant}?)`
}

function lookupIn(bases: ReadonlyMap<string, ResolvedBase>): BaseLookup {
  return (name, platform) => {
    const base = bases.get(keyOf({ name, platform }))
    if (base === undefined) throw new Error(`${name} was not resolved`)
    return base
  }
}

function keyOf({ name, platform }: Pick<NeededBase, 'name' | 'platform'>): string {
  return `${name} ${formatPlatform(platform)}`
}

function imagesOf(
  linkedStages: readonly LinkedStage[],
  dockerfile: Dockerfile,
  options: ResolveGraphOptions,
): readonly NeededBase[] {
  const names = dockerfile.stages.map(({ name }) => name)
  const needed = linkedStages.flatMap((linked) => {
    const { stage, base, sources } = linked
    const stagesAbove = (): readonly string[] => {
      return names.slice(0, stage.index).filter((name) => name !== undefined)
    }
    const platform = stagePlatform(linked, options.targetPlatform)
    const from =
      base.kind === 'image' && base.context === undefined
        ? [{ name: base.name, platform, range: stage.from.range, stagesAbove }]
        : []
    const copied = [...sources].flatMap(([{ range }, source]) =>
      source.kind === 'image' && source.context === undefined
        ? [{ name: source.name, platform: options.targetPlatform, range, stagesAbove }]
        : [],
    )
    return [...from, ...copied]
  })
  return [...new Map(needed.map((image) => [keyOf(image), image])).values()]
}

async function resolveAt(
  needed: NeededBase,
  options: ResolveGraphOptions,
  signal: AbortSignal,
): Promise<ResolvedBase> {
  try {
    return await options.resolve(needed.name, needed.platform, signal)
  } catch (cause) {
    throw failureAt(needed, cause)
  }
}

function checkAt(named: NeededBase): void {
  try {
    checkImageName(named.name)
  } catch (cause) {
    throw failureAt(named, cause)
  }
}

function failureAt({ name, range, stagesAbove }: NeededBase, cause: unknown): unknown {
  if (!(cause instanceof TsbuildError)) return cause
  const { code } = cause
  const message = `${name}: ${cause.message}`
  const isAboutName = !NOT_ABOUT_NAMES.has(code)
  const stage = isAboutName ? suggestion(name.toLowerCase(), stagesAbove()) : undefined
  if (stage === undefined) {
    return new SourceError(message, { code, hint: cause.hint, cause, ranges: [range] })
  }
  return new SourceError(`did you mean the stage ${stage}? ${message}`, {
    code,
    cause,
    hint: `no stage is called ${name}, so an image of that name was looked for`,
    ranges: [range],
  })
}

/**
 * The triggers that stages inherit from their bases, by stage index; each stage is handled once.
 */
function triggersOf(
  graph: InstructionGraph,
  context: {
    readonly bases: ReadonlyMap<string, ResolvedBase>
    /** How many triggers each stage has got. */
    readonly spliced: Map<number, number>
    readonly options: ResolveGraphOptions
  },
): ReadonlyMap<number, readonly StageInstruction[]> {
  const found = new Map<number, readonly StageInstruction[]>()
  const stages = new Map(graph.stages.map(({ stage }) => [stage.index, stage]))
  let count = [...context.spliced.values()].reduce((sum, each) => sum + each, 0)
  for (const linked of graph.stages) {
    const { index } = linked.stage
    if (context.spliced.has(index)) continue
    const texts = inheritedTriggers(linked, stages, context)
    context.spliced.set(index, texts.length)
    const { range } = linked.stage.from
    count += texts.length
    if (count > MAX_TRIGGERS) throw tooManyTriggers(range)
    if (texts.length > 0) {
      found.set(
        index,
        texts.map((text) => parseAt(text, range)),
      )
    }
  }
  return found
}

function tooManyTriggers(range: SourceRange): SourceError {
  return new SourceError(`the stages have more than ${MAX_TRIGGERS} triggers of ONBUILD`, {
    code: 'DOCKERFILE_INVALID',
    ranges: [range],
    hint: 'put what they do into the stage that has them',
  })
}

function inheritedTriggers(
  linked: LinkedStage,
  stages: ReadonlyMap<number, LinkedStage['stage']>,
  context: {
    readonly bases: ReadonlyMap<string, ResolvedBase>
    readonly options: ResolveGraphOptions
  },
): readonly string[] {
  const { base } = linked
  if (base.kind === 'scratch') return []
  if (base.kind === 'image') {
    const platform = stagePlatform(linked, context.options.targetPlatform)
    return context.bases.get(keyOf({ name: base.name, platform }))?.config.config.OnBuild ?? []
  }
  const instructions = stages.get(base.index)?.instructions ?? []
  return instructions.flatMap((item) => (item.kind === 'onbuild' ? [item.trigger] : []))
}

/** A trigger as an instruction of the child, positioned at the child's FROM line. */
function parseAt(text: string, range: SourceRange): StageInstruction {
  const { instruction, diagnostics } = parseTrigger(text)
  const error = diagnostics.find(({ severity }) => severity === 'error')
  if (instruction !== undefined && error === undefined) {
    return { ...movedTo(range, instruction), text: `ONBUILD ${instruction.text}` }
  }
  throw new SourceError(`invalid ONBUILD trigger ${JSON.stringify(text)}: ${error?.message}`, {
    code: 'DOCKERFILE_INVALID',
    ranges: [range],
    hint: 'the base image was built with it; build on another one',
  })
}

/** The same node with every range replaced, since the text of a trigger is not in the file. */
function movedTo<T>(range: SourceRange, node: T): T {
  if (Array.isArray(node)) return node.map((item) => movedTo(range, item)) as T
  if (typeof node !== 'object' || node === null || node instanceof Map) return node
  const fields = Object.entries(node).map(([key, value]) => [
    key,
    key === 'range' ? range : movedTo(range, value),
  ])
  return Object.fromEntries(fields) as T
}

function splice(
  dockerfile: Dockerfile,
  triggers: ReadonlyMap<number, readonly StageInstruction[]>,
): Dockerfile {
  const stages = dockerfile.stages.map((stage) => {
    const added = triggers.get(stage.index)
    return added === undefined
      ? stage
      : { ...stage, instructions: [...added, ...stage.instructions] }
  })
  return { ...dockerfile, stages }
}

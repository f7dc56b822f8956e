import type { Dockerfile, Stage, StageInstruction, Word } from '../ast/ast.ts'
import { SourceError } from '../text/diagnostics.ts'
import { didYouMean } from '../text/suggest.ts'
import { findCycle } from './cycle.ts'
import {
  copyFromRef,
  externalRef,
  type Names,
  namedRef,
  type Replacement,
  replacementRef,
  type SourceRef,
} from './source-ref.ts'

/** A stage with its edges. */
export interface LinkedStage {
  readonly stage: Stage
  readonly base: SourceRef
  /** `--platform` after expansion. */
  readonly platform: string | undefined
  /** What each `COPY --from` (its `from`) and `RUN --mount=from=` (the mount's `raw`) names. */
  readonly sources: ReadonlyMap<Word, SourceRef>
}

/** The stages of a Dockerfile and their dependencies, for one target. */
export interface InstructionGraph {
  readonly dockerfile: Dockerfile
  /** The stages that the target needs, or all of them, in file order; see `LinkOptions`. */
  readonly stages: readonly LinkedStage[]
  readonly target: LinkedStage
  /** The other stages, in file order. */
  readonly unused: readonly LinkedStage[]
}

/** What linking depends on besides the Dockerfile. */
export interface LinkOptions {
  /** Name of the stage to build, in any case; the last stage unless given. */
  readonly target?: string | undefined
  /** `all`: also the stages that the target does not need. `target` unless given. */
  readonly scope?: 'all' | 'target' | undefined
  /** Expands a word of a FROM line with the global arguments. */
  readonly expand: (word: Word, stage: Stage) => string
  /** An addition to the message about a word of a FROM line that is empty after expansion. */
  readonly suggest?: ((word: Word) => string) | undefined
  /** Named contexts: called for the name of every stage, and for every name of something else. */
  readonly replace?: ((name: string) => Replacement | undefined) | undefined
}

/** A word that names a source. */
interface Edge {
  readonly written: string
  readonly to: SourceRef
  /** The key in `sources`. */
  readonly place: Word
  /** The mount's target; `undefined` for COPY --from. */
  readonly mountTarget?: string | undefined
}

interface Node {
  readonly linked: LinkedStage
  /** In the order of the instructions. */
  readonly edges: readonly Edge[]
}

/**
 * Resolves the names in stages to other stages, images or scratch, and leaves out what the target
 * does not need. Pure: a Dockerfile with spliced instructions can be linked again.
 * @throws {SourceError} DOCKERFILE_INVALID; USAGE for a target that does not exist
 */
export function linkStages(dockerfile: Dockerfile, options: LinkOptions): InstructionGraph {
  const { stages } = dockerfile
  const earlier = new Map<string, number>()
  const byName = new Map(
    stages.flatMap(({ name, index }) => (name === undefined ? [] : [[name, index]])),
  )
  const { replace = () => undefined } = options
  const names: Names = { stages: byName, count: stages.length, replace }
  const nodes = stages.map((stage): Node => {
    const replaced = replacedStage(stage, names)
    const base = replaced ?? baseOf(stage, { names, earlier, options })
    if (stage.name !== undefined) earlier.set(stage.name, stage.index)
    if (replaced !== undefined) return emptyNode(stage, base)
    const edges = stage.instructions.flatMap((instruction) => edgesOf(instruction, names))
    const sources = new Map(edges.map(({ place, to }) => [place, to]))
    return { linked: { stage, base, platform: platformOf(stage, options), sources }, edges }
  })
  refuseCycles(nodes)
  const target = findTarget(nodes, options.target)
  const needed = options.scope === 'all' ? new Set(nodes) : reachableFrom(target, nodes)
  const chosen = nodes.filter((node) => needed.has(node))
  for (const node of chosen) refuseForwardReferences(node, stages)
  return {
    dockerfile,
    stages: chosen.map(({ linked }) => linked),
    target: target.linked,
    unused: nodes.flatMap((node) => (needed.has(node) ? [] : [node.linked])),
  }
}

/** The name that a stage goes by in messages: its own, or `stage-` and its index. */
export function stageLabel(stage: Stage): string {
  return stage.name ?? `stage-${stage.index}`
}

/** A stage whose name is that of a named context is not built. */
function replacedStage({ name, index, from }: Stage, names: Names): SourceRef | undefined {
  const found = name === undefined ? undefined : names.replace(name)
  if (name === undefined || found === undefined) return undefined
  const ref = replacementRef(found, { name, range: from.range }, names)
  return ref.kind === 'stage' && ref.index === index ? undefined : ref
}

function emptyNode(stage: Stage, base: SourceRef): Node {
  const linked = { stage: { ...stage, instructions: [] }, base, platform: undefined }
  return { linked: { ...linked, sources: new Map() }, edges: [] }
}

interface BaseContext {
  readonly names: Names
  /** The stages above this one, by name. */
  readonly earlier: ReadonlyMap<string, number>
  readonly options: LinkOptions
}

function baseOf(
  stage: Stage,
  { names, earlier, options: { expand, suggest } }: BaseContext,
): SourceRef {
  const { image } = stage.from
  const name = expand(image, stage)
  if (name.trim() === '') {
    throw new SourceError(`base name (${image.raw}) should not be blank${suggest?.(image) ?? ''}`, {
      code: 'DOCKERFILE_INVALID',
      ranges: [image.range],
      hint: 'give the argument a default before the first FROM, or a value with --build-arg',
    })
  }
  const index = earlier.get(name)
  if (index !== undefined) return { kind: 'stage', index }
  return externalRef(name, image.range, names)
}

function platformOf(stage: Stage, { expand, suggest }: LinkOptions): string | undefined {
  const { platform } = stage.from
  if (platform === undefined) return undefined
  const expanded = expand(platform, stage)
  if (expanded !== '') return expanded
  const meant = suggest?.(platform) ?? ''
  throw new SourceError(`empty platform value from expression ${platform.raw}${meant}`, {
    code: 'DOCKERFILE_INVALID',
    ranges: [platform.range],
    hint: 'give the argument a default before the first FROM, or remove --platform',
  })
}

function edgesOf(instruction: StageInstruction, names: Names): readonly Edge[] {
  if (instruction.kind === 'copy') {
    const { from } = instruction
    if (from === undefined) return []
    refuseVariable(from)
    return [{ written: from.raw, to: copyFromRef(from, names), place: from }]
  }
  if (instruction.kind !== 'run') return []
  return instruction.mounts.flatMap(({ raw: place, fields }) => {
    const written = fields.get('from') ?? ''
    if (written === '') return []
    const mountTarget = fields.get('target') ?? fields.get('dst') ?? fields.get('destination') ?? ''
    return [{ written, to: namedRef(written, place.range, names), place, mountTarget }]
  })
}

/** Stages are linked before anything is expanded. */
function refuseVariable(from: Word): void {
  if (!from.raw.includes('$')) return
  const message =
    'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround'
  throw new SourceError(message, {
    code: 'DOCKERFILE_INVALID',
    ranges: [from.range],
    hint: 'add FROM $IMAGE AS name, and write --from=name',
  })
}

function refuseCycles(nodes: readonly Node[]): void {
  const cycle = findCycle(
    nodes.map(({ linked, edges }) => {
      return [linked.base, ...edges.map(({ to }) => to)].flatMap(indexOf)
    }),
  )
  if (cycle === undefined) return
  const ranges = cycle.flatMap((index, position) => {
    const next = cycle[position + 1] ?? cycle[0]
    const node = nodes[index]
    const edge = node?.edges.find(({ to }) => to.kind === 'stage' && to.index === next)
    return edge?.place.range ?? node?.linked.stage.from.range ?? []
  })
  const first = nodes[cycle[0] ?? 0]
  const label = first === undefined ? '' : stageLabel(first.linked.stage)
  throw new SourceError(`circular dependency detected on stage: ${label}`, {
    code: 'DOCKERFILE_INVALID',
    ranges,
    hint: 'no stage can need itself: move what both need into a stage of its own',
  })
}

function indexOf(ref: SourceRef): readonly number[] {
  return ref.kind === 'stage' ? [ref.index] : []
}

function findTarget(nodes: readonly Node[], wanted: string | undefined): Node {
  const name = wanted?.toLowerCase()
  const target = name ? nodes.findLast(({ linked }) => linked.stage.name === name) : nodes.at(-1)
  if (target !== undefined) return target
  const code = 'DOCKERFILE_INVALID'
  if (!name) throw new SourceError('dockerfile contains no stages to build', { code, ranges: [] })
  const names = nodes.flatMap(({ linked }) => linked.stage.name ?? [])
  const meant = didYouMean(name, names)
  throw new SourceError(`target stage ${JSON.stringify(wanted)} could not be found${meant}`, {
    code: 'USAGE',
    ranges: [],
    hint: names.length > 0 ? `the stages are: ${names.join(', ')}` : 'no stage has a name',
  })
}

function reachableFrom(target: Node, nodes: readonly Node[]): ReadonlySet<Node> {
  const found = new Set([target])
  for (const { linked, edges } of found) {
    for (const ref of [linked.base, ...edges.map(({ to }) => to)]) {
      const node = ref.kind === 'stage' ? nodes[ref.index] : undefined
      if (node !== undefined) found.add(node)
    }
  }
  return found
}

/** A stage can be copied from only below its own definition. */
function refuseForwardReferences({ linked, edges }: Node, stages: readonly Stage[]): void {
  const { stage, base } = linked
  if (base.kind === 'stage' && base.index >= stage.index) {
    const name = JSON.stringify(stage.from.image.raw)
    throw new SourceError(`${name} is to be a stage that comes later`, {
      code: 'USAGE',
      ranges: [stage.from.range],
      hint: 'a build context can be an earlier stage only',
    })
  }
  for (const { to, written, place, mountTarget } of edges) {
    const source = to.kind === 'stage' ? stages[to.index] : undefined
    if (source === undefined || source.index < linked.stage.index) continue
    const [from, current] = [JSON.stringify(written), JSON.stringify(stageLabel(linked.stage))]
    const message =
      mountTarget === undefined
        ? `cannot copy from stage ${from}, it needs to be defined before current stage ${current}`
        : `cannot mount from stage ${from} to ${JSON.stringify(mountTarget)}, stage needs to be defined before current command`
    throw new SourceError(message, {
      code: 'DOCKERFILE_INVALID',
      ranges: [place.range, source.from.range],
      hint: `move stage ${from} above stage ${current}`,
    })
  }
}

import {
  type Instruction,
  type InstructionGraph,
  type LinkedStage,
  type SourceRef,
  type StageInstruction,
  stageLabel,
} from '#parser'
import { plain } from './label.ts'

/** An instruction graph as every format shows it: all stages of the file, and what they use. */
export interface GraphView {
  /** In file order; a stage's index is its place. */
  readonly stages: readonly StageView[]
  /** In the order of the instructions that they lead to. */
  readonly edges: readonly EdgeView[]
  /** Index of the stage that the build is for. */
  readonly target: number
}

/** A stage as every format shows it. */
export interface StageView {
  readonly index: number
  readonly name: string | undefined
  /** The name, or `stage-` and the index. */
  readonly label: string
  readonly base: SourceRef
  /** `--platform` after expansion. */
  readonly platform: string | undefined
  /** True when the target needs it; the target needs itself. */
  readonly isNeeded: boolean
  readonly isTarget: boolean
  /** Indexes of the stages that use this one, ascending. */
  readonly users: readonly number[]
  /** FROM first. */
  readonly instructions: readonly InstructionView[]
}

/** An instruction as every format shows it. */
export interface InstructionView {
  readonly kind: Instruction['kind']
  /** 1-based, of the first and the last line. */
  readonly line: number
  readonly endLine: number
  /** As written, continuations joined. */
  readonly text: string
  /** One line for showing; FROM after expansion. */
  readonly shown: string
  readonly uses: readonly Use[]
}

/** What makes an edge: FROM, `COPY --from` or `RUN --mount=from`. */
export type EdgeKind = 'from' | 'copy' | 'mount'

/** A stage or an image that an instruction uses the result of; `scratch` has none. */
export interface Use {
  readonly kind: EdgeKind
  readonly source: Exclude<SourceRef, { readonly kind: 'scratch' }>
}

/** A use, with the instruction that it leads to. */
export interface EdgeView extends Use {
  /** Index of the stage that the instruction is in. */
  readonly stage: number
  /** Place of the instruction in the stage; FROM has 0. */
  readonly instruction: number
}

/** The view of a graph, with needed and unneeded stages in file order. */
export function viewOf({ stages, unused, target }: InstructionGraph): GraphView {
  const needed = new Set(stages)
  const all = [...stages, ...unused].toSorted((a, b) => a.stage.index - b.stage.index)
  const instructions = all.map(instructionsOf)
  const edges = instructions.flatMap((list, stage) => {
    return list.flatMap(({ uses }, instruction) => {
      return uses.map((use) => ({ ...use, stage, instruction }))
    })
  })
  const users = Map.groupBy(edges, ({ source }) => {
    return source.kind === 'stage' ? source.index : undefined
  })
  const views = all.map(
    (linked, index): StageView => ({
      index,
      name: linked.stage.name,
      label: plain(stageLabel(linked.stage)),
      base: linked.base,
      platform: linked.platform,
      isNeeded: needed.has(linked),
      isTarget: linked === target,
      users: [...new Set(users.get(index)?.map(({ stage }) => stage))],
      instructions: instructions[index] ?? [],
    }),
  )
  return { stages: views, edges, target: target.stage.index }
}

function instructionsOf({
  stage,
  base,
  platform,
  sources,
}: LinkedStage): readonly InstructionView[] {
  const from = {
    ...instructionView(stage.from, useOf('from', base)),
    shown: plain(expandedFrom({ stage, base, platform })),
  }
  const rest = stage.instructions.map((instruction) => {
    return instructionView(instruction, usesOf(instruction, sources))
  })
  return [from, ...rest]
}

function instructionView(instruction: Instruction, uses: readonly Use[]): InstructionView {
  const { kind, range, text } = instruction
  return { kind, line: range.start.line, endLine: range.end.line, text, shown: plain(text), uses }
}

function expandedFrom({
  stage,
  base,
  platform,
}: Pick<LinkedStage, 'stage' | 'base' | 'platform'>): string {
  const { image, as } = stage.from
  const name = base.kind === 'image' ? base.name : base.kind === 'scratch' ? 'scratch' : image.raw
  return [
    'FROM',
    ...(platform === undefined ? [] : [`--platform=${platform}`]),
    name,
    ...(as === undefined ? [] : ['AS', as.raw]),
  ].join(' ')
}

function useOf(kind: EdgeKind, source: SourceRef | undefined): readonly Use[] {
  return source === undefined || source.kind === 'scratch' ? [] : [{ kind, source }]
}

function usesOf(instruction: StageInstruction, sources: LinkedStage['sources']): readonly Use[] {
  if (instruction.kind === 'copy') {
    return instruction.from === undefined ? [] : useOf('copy', sources.get(instruction.from))
  }
  if (instruction.kind !== 'run') return []
  // What is mounted twice is still used once.
  const mounted = new Map(
    instruction.mounts.map(({ raw, fields }) => [fields.get('from'), sources.get(raw)]),
  )
  return [...mounted.values()].flatMap((source) => useOf('mount', source))
}

/** The steps that docker's classic builder counts, and the vertices that do them. */
import type { PlannedVertex } from '#core'
import type { InstructionGraph } from '#parser'

type LinkedStage = InstructionGraph['stages'][number]

/** An instruction, and what was heard of it. */
export interface Step {
  readonly text: string
  readonly kind: string
  /** The name or number of its stage. */
  readonly stage: string
  /** Of the Dockerfile, 1-based. */
  readonly line: number
  /** What it begins with, of a FROM: the stage that it names; absent for an image or scratch. */
  readonly base?: string | undefined
  vertex: PlannedVertex | undefined
  /** Steps that the image of a FROM has for those that are built on it. */
  triggers: readonly PlannedVertex[]
  /** How many instructions these are, with those that change the config only. */
  triggerCount: number
}

/** What instructions are planned as. */
const OPERATIONS: ReadonlyMap<string, string> = new Map([
  ['from', 'image'],
  ['run', 'exec'],
  ['copy', 'files'],
  ['add', 'files'],
  ['workdir', 'files'],
])
/** For which the classic builder makes a container. */
export const CONTAINED: ReadonlySet<string> = new Set(['run', 'workdir'])
const MADE: ReadonlySet<string> = new Set(['exec', 'files'])

/**
 * The instructions of all stages, in their order.
 * @param labels of the request: one more step
 */
export function stepsOf(
  stages: InstructionGraph['stages'],
  labels: Readonly<Record<string, string>>,
): readonly Step[] {
  const steps = stages.flatMap(({ stage, base }) => {
    const name = nameOf(stage)
    const from =
      base.kind === 'stage' ? stages.find((one) => one.stage.index === base.index) : undefined
    const below = from === undefined ? undefined : nameOf(from.stage)
    return [stage.from, ...stage.instructions].map((instruction) => ({
      text: instruction.text,
      kind: instruction.kind,
      stage: name,
      line: instruction.range.start.line,
      ...(instruction.kind === 'from' ? { base: below } : {}),
      vertex: undefined,
      triggers: [],
      triggerCount: 0,
    }))
  })
  return [...steps, ...labelStep(labels, steps.at(-1))]
}

/** Counts the triggers that images of FROM have added to their stages. @param own instructions of stages by their names */
export function countTriggers(
  steps: readonly Step[],
  stages: InstructionGraph['stages'],
  own: ReadonlyMap<string, number>,
): void {
  for (const { stage } of stages) {
    const name = nameOf(stage)
    const from = steps.find((step) => step.kind === 'from' && step.stage === name)
    if (from !== undefined) from.triggerCount = stage.instructions.length - (own.get(name) ?? 0)
  }
}

/** As steps have it. */
export function nameOf({ name, index }: LinkedStage['stage']): string {
  return name ?? String(index)
}

/** Finds the vertices of steps, and of the triggers that the image of a FROM adds. */
export function assignVertices(steps: readonly Step[], vertices: readonly PlannedVertex[]): void {
  const byLine = Map.groupBy(vertices, ({ stage, lines }) => `${stage} ${lines.start}`)
  for (const step of steps) {
    const here = byLine.get(`${step.stage} ${step.line}`) ?? []
    if (step.kind === 'from') step.triggers = here.filter(({ op }) => MADE.has(op))
    // A step of the request's labels has the line of the one before it.
    step.vertex = here.find(({ op }) => op === OPERATIONS.get(step.kind))
  }
}

/** Labels of a request are put on the image by a step of the last stage. */
function labelStep(
  labels: Readonly<Record<string, string>>,
  last: Step | undefined,
): readonly Step[] {
  const pairs = Object.keys(labels)
    .sort()
    .map((name) => `${name}=${labels[name]}`)
  if (last === undefined || pairs.length === 0) return []
  const { stage, line } = last
  const text = `LABEL ${pairs.join(' ')}`
  return [{ text, kind: 'label', stage, line, vertex: undefined, triggers: [], triggerCount: 0 }]
}

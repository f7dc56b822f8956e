import { isStep, type Trace, type TracedVertex } from './trace.ts'

/** Of each of the longest lists of steps that are compared one by one. */
const MOST_STEPS = 1500

/**
 * For each vertex of a build the one of an earlier build that it is another version of, if there is one.
 * Steps are paired in their order, so that as many as possible are alike; other vertices by what they are.
 */
export function counterparts(now: Trace, before: Trace): ReadonlyMap<TracedVertex, TracedVertex> {
  const pairs = new Map<TracedVertex, TracedVertex>()
  for (const platform of new Set(now.vertices.map((vertex) => vertex.platform))) {
    const stepsOf = ({ vertices }: Trace): readonly TracedVertex[] =>
      vertices.filter((one) => isStep(one) && one.platform === platform).slice(0, MOST_STEPS)
    pair(stepsOf(now), stepsOf(before), pairs)
  }
  const others = new Map(
    before.vertices.filter((one) => !isStep(one)).map((one) => [identityOf(one), one]),
  )
  for (const vertex of now.vertices) {
    const other = isStep(vertex) ? undefined : others.get(identityOf(vertex))
    if (other !== undefined) pairs.set(vertex, other)
  }
  return pairs
}

/** How many steps of a build another one has, too. */
export function likenessOf(now: Trace, before: Trace): number {
  const known = new Set(before.vertices.filter(isStep).map(instructionOf))
  return now.vertices.filter((one) => isStep(one) && known.has(instructionOf(one))).length
}

/** The instruction as it was shown, without the number of the step. */
export function instructionOf({ name }: Pick<TracedVertex, 'name'>): string {
  return name.replace(/^\[[^\]]*\] /, '')
}

/** An image is another one when its digest differs: what it is called counts. */
function identityOf(vertex: TracedVertex): string {
  const { op, platform } = vertex
  return JSON.stringify([op, platform, instructionOf(vertex)])
}

/** The longest common subsequence, with weights: each pair counts by how alike its steps are. */
function pair(
  now: readonly TracedVertex[],
  before: readonly TracedVertex[],
  pairs: Map<TracedVertex, TracedVertex>,
): void {
  const width = before.length + 1
  const best = new Float64Array((now.length + 1) * width)
  const [nows, befores] = [now.map(shapeOf), before.map(shapeOf)]
  const alike = (i: number, j: number): number => {
    const [a, b] = [nows[i], befores[j]]
    return a === undefined || b === undefined ? 0 : likeness(a, b)
  }
  const at = (i: number, j: number): number => best[i * width + j] ?? 0
  for (let i = now.length - 1; i >= 0; i--) {
    for (let j = before.length - 1; j >= 0; j--) {
      const taken = at(i + 1, j + 1) + alike(i, j)
      best[i * width + j] = Math.max(at(i + 1, j), at(i, j + 1), taken)
    }
  }
  for (let i = 0, j = 0; i < now.length && j < before.length; ) {
    const [step, other] = [now[i], before[j]]
    if (at(i, j) === at(i + 1, j)) i++
    else if (at(i, j) === at(i, j + 1)) j++
    else if (step !== undefined && other !== undefined) {
      pairs.set(step, other)
      i++
      j++
    }
  }
}

/** What decides how alike two steps are. */
interface Shape {
  readonly vertex: TracedVertex
  readonly keyword: string
  readonly text: string
  readonly words: ReadonlySet<string>
}

/** Longer commands are compared by their beginnings. */
const MOST_WORDS = 50

function shapeOf(vertex: TracedVertex): Shape {
  const text = instructionOf(vertex)
  const words = text.split(/\s+/, MOST_WORDS)
  return { vertex, keyword: words[0] ?? '', text, words: new Set(words) }
}

/** 0 for different instructions; an equal one outweighs any number of similar words. */
function likeness(a: Shape, b: Shape): number {
  if (a.vertex.op !== b.vertex.op || a.keyword !== b.keyword) return 0
  const isSameStage = a.vertex.stage === b.vertex.stage ? 1 : 0
  if (a.vertex.key !== undefined && a.vertex.key === b.vertex.key) return 8 + isSameStage
  if (a.text === b.text) return 6 + isSameStage
  let common = 0
  for (const word of a.words) if (b.words.has(word)) common++
  return 1 + (2 * common) / (a.words.size + b.words.size) + isSameStage
}

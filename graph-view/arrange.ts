import type { Point, Rectangle } from './geometry.ts'
import { type Layout, type LayoutPoint, layOut } from './layout.ts'
import { inletOf, type StageBox } from './svg-stage.ts'
import type { EdgeView, GraphView } from './view.ts'

/** An arrow from a stage to what uses it; images stand in the lines that name them. */
interface Arrow {
  readonly from: number
  readonly to: number
  /** What it stands for: uses of one kind. */
  readonly edges: readonly EdgeView[]
  /** Straight from the 1st point to the 2nd, bent from there to the 3rd, straight to the 4th… */
  readonly points: readonly Point[]
}

/** Where everything is, in pixels. */
export interface Arrangement {
  /** True when columns go from the top down, false when they go from left to right. */
  readonly isDown: boolean
  readonly width: number
  readonly height: number
  readonly boxes: readonly Rectangle[]
  readonly arrows: readonly Arrow[]
}

type Bundle = Omit<Arrow, 'points'>

/** A window that a picture should fit into without becoming small. */
const WINDOW = { width: 1600, height: 1200 }

/**
 * Places boxes and arrows. Deep graphs go from the top down, wide ones from left to right: whichever is
 * shown larger. From left to right, an arrow leads to the very line that uses a stage; from the top
 * down, uses of one kind share an arrow to the box.
 */
export function arrange(boxes: readonly StageBox[], { edges }: GraphView): Arrangement {
  const down = arrangeDown(boxes, edges)
  const right = arrangeRight(boxes, edges)
  return scaleOf(down) >= scaleOf(right) ? down : right
}

function scaleOf({ width, height }: Arrangement): number {
  return Math.min(WINDOW.width / width, WINDOW.height / height, 1)
}

function arrangeRight(boxes: readonly StageBox[], edges: readonly EdgeView[]): Arrangement {
  const bundles = bundle(edges, (edge) => edge.instruction)
  const layout = layOut(
    boxes.map(({ width, height }) => ({ along: width, across: height })),
    bundles,
  )
  // As wide as their column, so that all arrows of a column begin at its end.
  const placed = layout.boxes.map(({ along, across, room }, index): Rectangle => {
    return { x: along, y: across, width: room, height: boxes[index]?.height ?? 0 }
  })
  const arrows = bundles.map((one, index): Arrow => {
    const [from, to] = [placed[one.from] ?? ORIGIN, placed[one.to] ?? ORIGIN]
    const start = { x: from.x + from.width, y: from.y + (boxes[one.from]?.outlet ?? 0) }
    const tip = { x: to.x, y: to.y + inletOf(one.edges[0]?.instruction ?? 0) }
    const passes = (layout.passes[index] ?? []).map(({ along, across }) => ({
      x: along,
      y: across,
    }))
    return { ...one, points: [start, start, ...passes, tip] }
  })
  return { isDown: false, width: layout.along, height: layout.across, boxes: placed, arrows }
}

function arrangeDown(boxes: readonly StageBox[], edges: readonly EdgeView[]): Arrangement {
  const bundles = bundle(edges, () => 0)
  const layout = layOut(
    boxes.map(({ width, height }) => ({ along: height, across: width })),
    bundles,
  )
  const placed = layout.boxes.map(({ along, across }, index): Rectangle => {
    const { width = 0, height = 0 } = boxes[index] ?? {}
    return { x: across, y: along, width, height }
  })
  const middleOf = (stage: number): number => {
    const { x, width } = placed[stage] ?? ORIGIN
    return x + Math.round(width / 2)
  }
  const inlets = spreadInlets(bundles, layout, { boxes, middleOf })
  const arrows = bundles.map((one, index): Arrow => {
    const [from, to] = [placed[one.from] ?? ORIGIN, placed[one.to] ?? ORIGIN]
    const start = { x: middleOf(one.from), y: from.y + from.height }
    const end = { x: start.x, y: from.y + (layout.boxes[one.from]?.room ?? 0) }
    const passes = (layout.passes[index] ?? []).map(({ along, across }) => ({
      x: across,
      y: along,
    }))
    return { ...one, points: [start, end, ...passes, { x: to.x + (inlets[index] ?? 0), y: to.y }] }
  })
  return { isDown: true, width: layout.across, height: layout.along, boxes: placed, arrows }
}

const ORIGIN: Rectangle = { x: 0, y: 0, width: 0, height: 0 }

/** Where lines arrive at the top of their boxes: side by side, in the order in which they come. */
function spreadInlets(
  lines: readonly Bundle[],
  { passes }: Layout,
  {
    boxes,
    middleOf,
  }: { readonly boxes: readonly StageBox[]; readonly middleOf: (stage: number) => number },
): readonly number[] {
  const comesFrom = (line: number): number => {
    const last: LayoutPoint | undefined = passes[line]?.at(-1)
    return last?.across ?? middleOf(lines[line]?.from ?? 0)
  }
  const groups = Map.groupBy(lines.keys(), (line) => lines[line]?.to ?? 0)
  const inlets = lines.map(() => 0)
  for (const [to, group] of groups) {
    const sorted = group.toSorted((a, b) => comesFrom(a) - comesFrom(b))
    for (const [place, line] of sorted.entries()) {
      const share = (place + 1) / (sorted.length + 1)
      inlets[line] = Math.round((boxes[to]?.width ?? 0) * share)
    }
  }
  return inlets
}

/** Edges of one kind between the same stages, apart by what `lane` gives for them. */
function bundle(edges: readonly EdgeView[], lane: (edge: EdgeView) => number): readonly Bundle[] {
  const groups = Map.groupBy(edges, (edge) => {
    return edge.source.kind === 'stage'
      ? `${edge.source.index} ${edge.kind} ${edge.stage} ${lane(edge)}`
      : undefined
  })
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined || first.source.kind !== 'stage') return []
    return [{ from: first.source.index, to: first.stage, edges: group }]
  })
}

import { type Layout, type Line, layOut, type Place } from './layout.ts'
import { inletOf, type StageBox } from './svg-stage.ts'
import type { EdgeView, GraphView } from './view.ts'

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Rectangle extends Point {
  readonly width: number
  readonly height: number
}

/** An arrow from a stage to what uses it; images stand in the lines that name them. */
export interface Arrow {
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
 * Deep graphs go from the top down, wide ones from left to right: whichever is shown larger. From
 * left to right, an arrow leads to the very line that uses a stage; from the top down, uses of one
 * kind share an arrow to the box.
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
    boxes.map(({ width, height, outlet }) => ({ along: width, across: height, outlet })),
    bundles.map((one) => ({ ...one, inlet: inletOf(one.edges[0]?.instruction ?? 0) })),
  )
  return {
    isDown: false,
    width: layout.along,
    height: layout.across,
    // As wide as the column, where the straight part of arrows begins at its end.
    boxes: layout.boxes.map(({ along, across, room }, index) => {
      return { x: along, y: across, width: room, height: boxes[index]?.height ?? 0 }
    }),
    arrows: withPoints(bundles, layout, ({ along, across }) => ({ x: along, y: across })).map(
      (arrow) => ({
        ...arrow,
        points: arrow.points.map((at, index, all) => all[index || 1] ?? at),
      }),
    ),
  }
}

function arrangeDown(boxes: readonly StageBox[], edges: readonly EdgeView[]): Arrangement {
  const bundles = bundle(edges, () => 0)
  const flat = boxes.map(({ width, height }) => {
    return { along: height, across: width, outlet: Math.round(width / 2) }
  })
  const middle = bundles.map(({ from, to }): Line => {
    return { from, to, inlet: (boxes[to]?.width ?? 0) / 2 }
  })
  const layout = layOut(flat, spreadInlets(middle, boxes, layOut(flat, middle)))
  return {
    isDown: true,
    width: layout.across,
    height: layout.along,
    boxes: layout.boxes.map(({ along, across }, index) => {
      const { width = 0, height = 0 } = boxes[index] ?? {}
      return { x: across, y: along, width, height }
    }),
    arrows: withPoints(bundles, layout, ({ along, across }) => ({ x: across, y: along })),
  }
}

/** Side by side on the box, in the order in which the lines come in a first layout. */
function spreadInlets(
  lines: readonly Line[],
  boxes: readonly StageBox[],
  { routes }: Layout,
): readonly Line[] {
  const groups = Map.groupBy(lines.keys(), (line) => lines[line]?.to)
  const inlets = new Map<number, number>()
  for (const [to, group] of groups) {
    const comesFrom = (line: number): number => routes[line]?.at(-2)?.across ?? 0
    const sorted = group.toSorted((a, b) => comesFrom(a) - comesFrom(b))
    for (const [place, line] of sorted.entries()) {
      const share = (place + 1) / (sorted.length + 1)
      inlets.set(line, Math.round((boxes[to ?? 0]?.width ?? 0) * share))
    }
  }
  return lines.map((line, index) => ({ ...line, inlet: inlets.get(index) ?? line.inlet }))
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

function withPoints(
  bundles: readonly Bundle[],
  { routes }: Layout,
  pointOf: (place: Place) => Point,
): readonly Arrow[] {
  return bundles.map((one, index) => ({ ...one, points: (routes[index] ?? []).map(pointOf) }))
}

import { Graph, layout } from '@dagrejs/dagre'

/**
 * A layered drawing, for either direction: columns follow each other *along* the flow, the boxes of a
 * column stand side by side *across* it. All lengths are in pixels.
 */
export interface Box {
  readonly along: number
  readonly across: number
}

/** A connection from a box to one that uses it. */
export interface Line {
  readonly from: number
  readonly to: number
}

/** A point of a drawing. */
export interface LayoutPoint {
  readonly along: number
  readonly across: number
}

/** A box with its place. */
interface PlacedBox extends LayoutPoint {
  /** How long the column is that the box stands in. */
  readonly room: number
}

/** The places of all boxes, and of the lines between them. */
export interface Layout {
  /** The size of the drawing. */
  readonly along: number
  readonly across: number
  readonly boxes: readonly PlacedBox[]
  /**
   * Where each line passes the columns between its boxes, in pairs: it goes straight from the 1st point
   * to the 2nd, past the boxes of a column, then from the 3rd to the 4th, and so on. In between it
   * crosses the space between two columns.
   */
  readonly passes: readonly (readonly LayoutPoint[])[]
}

const BOX_GAP = 28
const LINE_GAP = 14
const NARROW_GAP = 46
const WIDE_GAP = 140
/** More boxes stand in a grid: the library needs quadratic time and a deep stack for them. */
const MAX_BOXES = 300
/** With more passes than this, only lines to the next column find a way around boxes. */
const MAX_PASSES = 500

/**
 * Places boxes in columns, each behind all that it uses, so that few lines cross: lines pass beside
 * boxes, and boxes do not touch. In drawings beyond the limits above, lines may cross boxes.
 */
export function layOut(boxes: readonly Box[], lines: readonly Line[]): Layout {
  if (boxes.length > MAX_BOXES) return gridLayout(boxes, lines)
  const graph = layeredGraph(boxes, routedLines(boxes.length, lines))
  const nodes = boxes.map((_, box) => graph.node(String(box)))
  const columns = columnsOf(nodes)
  const routes = lines.map(({ from, to }) => {
    const points = graph.edge(String(from), String(to))?.points ?? []
    return passesOf(points, between(columns, nodes[from]?.rank, nodes[to]?.rank))
  })
  // The library has boxes begin at 0, but not lines beside them.
  const least = routes.flat().reduce((one, { across }) => Math.min(one, across), 0)
  const placed = nodes.map(({ x, width, rank }): PlacedBox => {
    const { start, end } = columns.get(rank) ?? NO_COLUMN
    return { along: start, across: Math.round(x - width / 2) - least, room: end - start }
  })
  const passes = routes.map((route) =>
    route.map(({ along, across }): LayoutPoint => ({ along, across: across - least })),
  )
  return { ...sizeOf(boxes, placed, passes.flat()), boxes: placed, passes }
}

/** A node of the library. */
interface NodeLabel {
  readonly width: number
  readonly height: number
  /** The centre. */
  readonly x: number
  readonly y: number
  /** Equal for the nodes of a column, and greater for those of the columns behind it. */
  readonly rank: number
}

/** An edge of the library: it has a point at the start of each column that it passes. */
interface EdgeLabel {
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

function layeredGraph(
  boxes: readonly Box[],
  lines: readonly Line[],
): Graph<object, NodeLabel, EdgeLabel> {
  const graph = new Graph<object, NodeLabel, EdgeLabel>()
  const ranksep = Math.min(WIDE_GAP, NARROW_GAP + 2 * lines.length)
  graph.setGraph({ nodesep: BOX_GAP, edgesep: LINE_GAP, ranksep, rankalign: 'top' })
  for (const [box, { along, across }] of boxes.entries()) {
    graph.setNode(String(box), { width: across, height: along, x: 0, y: 0, rank: 0 })
  }
  for (const { from, to } of lines) graph.setEdge(String(from), String(to), { points: [] })
  layout(graph)
  return graph
}

/** The lines that the library is given: each pair of boxes once, all or those to the next column. */
function routedLines(count: number, lines: readonly Line[]): readonly Line[] {
  const pairs = [...new Map(lines.map((line) => [`${line.from} ${line.to}`, line])).values()]
  const ranks = new Array<number>(count).fill(0)
  for (const { from, to } of pairs.toSorted((a, b) => a.to - b.to)) {
    ranks[to] = Math.max(ranks[to] ?? 0, (ranks[from] ?? 0) + 1)
  }
  const passes = ({ from, to }: Line): number => (ranks[to] ?? 0) - (ranks[from] ?? 0) - 1
  const total = pairs.reduce((sum, line) => sum + Math.max(0, passes(line)), 0)
  return total > MAX_PASSES ? pairs.filter((line) => passes(line) === 0) : pairs
}

interface Column {
  readonly start: number
  readonly end: number
}

const NO_COLUMN: Column = { start: 0, end: 0 }

/** The columns by rank. */
function columnsOf(nodes: readonly NodeLabel[]): ReadonlyMap<number, Column> {
  const columns = new Map<number, Column>()
  for (const { y, height, rank } of nodes) {
    const start = Math.round(y - height / 2)
    columns.set(rank, { start, end: Math.max(columns.get(rank)?.end ?? 0, start + height) })
  }
  return columns
}

/** The columns behind one rank and before another. */
function between(columns: ReadonlyMap<number, Column>, from = 0, to = 0): readonly Column[] {
  return [...columns]
    .filter(([rank]) => rank > from && rank < to)
    .toSorted(([a], [b]) => a - b)
    .map(([, column]) => column)
}

function passesOf(points: EdgeLabel['points'], columns: readonly Column[]): readonly LayoutPoint[] {
  return columns.flatMap(({ start, end }): readonly LayoutPoint[] => {
    const point = points.find(({ y }) => Math.round(y) >= start && y <= end)
    if (point === undefined) return []
    const across = Math.round(point.x)
    return [
      { along: start, across },
      { along: end, across },
    ]
  })
}

/** The boxes in the order of the file, in as many columns as rows. */
function gridLayout(boxes: readonly Box[], lines: readonly Line[]): Layout {
  const rows = Math.ceil(Math.sqrt(boxes.length))
  const placed: PlacedBox[] = []
  for (let first = 0, along = 0; first < boxes.length; first += rows) {
    const column = boxes.slice(first, first + rows)
    const room = column.reduce((most, box) => Math.max(most, box.along), 0)
    let across = 0
    for (const box of column) {
      placed.push({ along, across, room })
      across += box.across + BOX_GAP
    }
    along += room + WIDE_GAP
  }
  return { ...sizeOf(boxes, placed, []), boxes: placed, passes: lines.map(() => []) }
}

function sizeOf(
  boxes: readonly Box[],
  placed: readonly PlacedBox[],
  passes: readonly LayoutPoint[],
): LayoutPoint {
  const most = (values: Iterable<number>): number => {
    let found = 0
    for (const value of values) found = Math.max(found, value)
    return found
  }
  return {
    along: most(placed.map(({ along, room }) => along + room)),
    across: most([
      ...placed.map(({ across }, box) => across + (boxes[box]?.across ?? 0)),
      ...passes.map(({ across }) => across),
    ]),
  }
}

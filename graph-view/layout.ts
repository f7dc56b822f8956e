import { layersOf } from './layers.ts'
import { type Columns, orderColumns, type Segment } from './ordering.ts'
import { type Item, placeItems } from './placing.ts'

/**
 * A layered drawing, for either direction: columns follow each other *along* the flow, what is in a
 * column stands side by side *across* it. All lengths are in pixels.
 */
export interface Box {
  readonly along: number
  readonly across: number
  /** Where lines leave, across from where the box begins. */
  readonly outlet: number
}

export interface Line {
  readonly from: number
  readonly to: number
  /** Where it arrives, across from where the box begins. */
  readonly inlet: number
}

export interface Place {
  readonly along: number
  readonly across: number
}

export interface Layout {
  /** The size of all of it. */
  readonly along: number
  readonly across: number
  readonly boxes: readonly PlacedBox[]
  /**
   * The way of each line from box to box. It goes straight along the columns from its 1st point to its
   * 2nd, from its 3rd to its 4th, and so on, past the boxes that stand there; in between it crosses
   * the space between two columns.
   */
  readonly routes: readonly (readonly Place[])[]
}

export interface PlacedBox extends Place {
  /** How long the column is that the box stands in. */
  readonly room: number
}

/** More than this in all, and long lines go straight: nobody follows that many. */
const MAX_WAYPOINTS = 20_000
const NARROW_GAP = 46
const WIDE_GAP = 140

interface Way {
  readonly items: readonly Item[]
  readonly columns: Columns
  readonly gaps: readonly (readonly Segment[])[]
  /** Where the lines of a box pass through the columns behind it, in this order. */
  readonly passes: ReadonlyMap<number, readonly number[]>
}

interface Span {
  readonly start: number
  readonly length: number
}

/**
 * Places boxes in columns, each behind all that it needs, and finds a way for every line: lines cross
 * no box, and boxes do not touch. Lines of one box share their way as long as they can.
 */
export function layOut(boxes: readonly Box[], lines: readonly Line[]): Layout {
  const layers = layersOf(boxes.length, lines)
  const way = findWay(boxes, lines, layers)
  const columns = orderColumns(way.columns, way.gaps)
  const places = placeItems(columns, way.items, way.gaps.flat())
  const spans = columnSpans(way, boxes)
  const spanOf = (box: number, steps = 0): Span => {
    return spans[(layers[box] ?? 0) + steps] ?? { start: 0, length: 0 }
  }
  const routes = lines.map(({ from, to, inlet }): readonly Place[] => {
    const passed = (layers[to] ?? 0) - (layers[from] ?? 0) - 1
    const passes = (way.passes.get(from) ?? []).slice(0, Math.max(0, passed))
    const out = (places[from] ?? 0) + (boxes[from]?.outlet ?? 0)
    return [
      { along: spanOf(from).start + (boxes[from]?.along ?? 0), across: out },
      { along: end(spanOf(from)), across: out },
      ...passes.flatMap((item, index): readonly Place[] => {
        const span = spanOf(from, index + 1)
        const across = places[item] ?? 0
        return [
          { along: span.start, across },
          { along: end(span), across },
        ]
      }),
      { along: spanOf(to).start, across: (places[to] ?? 0) + inlet },
    ]
  })
  return {
    along: end(spans.at(-1)),
    across: way.items.reduce((most, item, index) => {
      return Math.max(most, (places[index] ?? 0) + item.across)
    }, 0),
    boxes: boxes.map((_, box) => {
      return { along: spanOf(box).start, across: places[box] ?? 0, room: spanOf(box).length }
    }),
    routes,
  }
}

function end(span: Span | undefined): number {
  return span === undefined ? 0 : span.start + span.length
}

/** Ties boxes to those behind them, with items where lines pass through columns in between. */
function findWay(boxes: readonly Box[], lines: readonly Line[], layers: readonly number[]): Way {
  const items: Item[] = boxes.map(({ across, outlet }) => ({ across, outlet, isBox: true }))
  const depth = layers.reduce((most, layer) => Math.max(most, layer), 0)
  const columns = Array.from({ length: depth + 1 }, (): number[] => [])
  const gaps = columns.map((): Segment[] => [])
  for (const [box, layer] of layers.entries()) columns[layer]?.push(box)
  const passes = new Map<number, readonly number[]>()
  for (const [box, last] of reachOf(lines, layers)) {
    let previous = box
    const chain: number[] = []
    for (let layer = (layers[box] ?? 0) + 1; layer < last; layer++) {
      const item = items.push({ across: 0, outlet: 0, isBox: false }) - 1
      columns[layer]?.push(item)
      gaps[layer - 1]?.push({ from: previous, to: item, inlet: 0, share: 0.5 })
      chain.push(item)
      previous = item
    }
    passes.set(box, chain)
  }
  for (const { from, to, inlet } of lines) {
    const steps = (layers[to] ?? 0) - (layers[from] ?? 0)
    const start = steps === 1 ? from : passes.get(from)?.[steps - 2]
    const share = inlet / Math.max(1, boxes[to]?.across ?? 1)
    if (start !== undefined) gaps[(layers[to] ?? 0) - 1]?.push({ from: start, to, inlet, share })
  }
  return { items, columns, gaps, passes }
}

/** The last column that lines of a box go to; nothing when too many columns would be passed. */
function reachOf(lines: readonly Line[], layers: readonly number[]): ReadonlyMap<number, number> {
  const reach = new Map<number, number>()
  for (const { from, to } of lines) {
    reach.set(from, Math.max(reach.get(from) ?? 0, layers[to] ?? 0))
  }
  const waypoints = [...reach].reduce((sum, [box, last]) => sum + last - (layers[box] ?? 0), 0)
  return waypoints > MAX_WAYPOINTS ? new Map() : reach
}

/** Where each column begins, and how long it is; more lines get more space. */
function columnSpans({ columns, gaps }: Way, boxes: readonly Box[]): readonly Span[] {
  const spans: Span[] = []
  let start = 0
  for (const [index, column] of columns.entries()) {
    const length = column.reduce((most, item) => Math.max(most, boxes[item]?.along ?? 0), 0)
    spans.push({ start, length })
    start += length + Math.min(WIDE_GAP, NARROW_GAP + 5 * (gaps[index]?.length ?? 0))
  }
  return spans
}

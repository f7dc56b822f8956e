/** A line from an item to one in the next column. */
export interface Segment {
  readonly from: number
  readonly to: number
  /** Where it arrives, in pixels below the top of the item. */
  readonly inlet: number
  /** The same as a part of the item's height, from 0 to 1. */
  readonly share: number
}

/** Items from the top down, column by column. */
export type Columns = readonly (readonly number[])[]

const SWEEPS = 12

/**
 * Orders the items of each column so that few segments cross: each goes to the mean place of those
 * that it is tied to in the column before, then in the column after, and so on; the best order of all
 * rounds is kept. Equal ones keep the order that they came in. `gaps` has the segments by the column
 * that they start in.
 */
export function orderColumns(columns: Columns, gaps: readonly (readonly Segment[])[]): Columns {
  const places = new Map<number, number>()
  const placeOf = (item: number): number => places.get(item) ?? 0
  const number = (column: readonly number[]): void => {
    for (const [place, item] of column.entries()) places.set(item, place)
  }
  const sides = sidesOf(gaps.flat(), placeOf)
  columns.forEach(number)
  let current = columns
  let best = columns
  let fewest = crossings(gaps, placeOf)
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    const isForward = sweep % 2 === 0
    const next = [...current]
    for (const at of isForward ? next.keys() : [...next.keys()].reverse()) {
      const column = sortByMean(next[at] ?? [], isForward ? sides.before : sides.after)
      next[at] = column
      number(column)
    }
    current = next
    const count = crossings(gaps, placeOf)
    if (count < fewest) [best, fewest] = [current, count]
  }
  return best
}

type Neighbours = (item: number) => readonly number[]

/** Where the items that an item is tied to stand, on either side. */
function sidesOf(
  segments: readonly Segment[],
  placeOf: (item: number) => number,
): { readonly before: Neighbours; readonly after: Neighbours } {
  const incoming = Map.groupBy(segments, ({ to }) => to)
  const outgoing = Map.groupBy(segments, ({ from }) => from)
  return {
    before: (item) => incoming.get(item)?.map(({ from }) => placeOf(from)) ?? [],
    after: (item) => outgoing.get(item)?.map(({ to, share }) => placeOf(to) + share) ?? [],
  }
}

/** Items that are tied to nothing keep their place as well as the others let them. */
function sortByMean(column: readonly number[], neighbours: Neighbours): readonly number[] {
  const keys = new Map(
    column.map((item, place) => {
      const found = neighbours(item)
      const sum = found.reduce((total, one) => total + one, 0)
      return [item, found.length === 0 ? place : sum / found.length]
    }),
  )
  return column.toSorted((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0))
}

/** How many pairs of segments cross. */
function crossings(
  gaps: readonly (readonly Segment[])[],
  placeOf: (item: number) => number,
): number {
  return gaps.reduce((sum, segments) => {
    const lines = segments
      .map(({ from, to, share }) => ({ start: placeOf(from), end: placeOf(to) + share }))
      .toSorted((a, b) => a.start - b.start || a.end - b.end)
    return sum + countInversions(lines.map(({ end }) => end)).count
  }, 0)
}

/** How many pairs stand in the wrong order; sorts by merging, so that many take no longer. */
function countInversions(values: readonly number[]): {
  readonly count: number
  readonly sorted: readonly number[]
} {
  if (values.length < 2) return { count: 0, sorted: values }
  const middle = values.length >> 1
  const left = countInversions(values.slice(0, middle))
  const right = countInversions(values.slice(middle))
  const sorted: number[] = []
  let count = left.count + right.count
  let taken = 0
  for (const value of left.sorted) {
    for (let next = right.sorted[taken]; next !== undefined && next < value; ) {
      sorted.push(next)
      taken++
      next = right.sorted[taken]
    }
    count += taken
    sorted.push(value)
  }
  return { count, sorted: [...sorted, ...right.sorted.slice(taken)] }
}

import type { Columns, Segment } from './ordering.ts'

/** A box, or the place in a column where a line passes between boxes. */
export interface Item {
  readonly across: number
  /** Where lines leave it, in pixels from where it begins. */
  readonly outlet: number
  readonly isBox: boolean
}

const ROUNDS = 20
const BOX_GAP = 28
const LINE_GAP = 14
/** How much a line wants to be straight, by how many of its ends are at boxes. */
const STRAIGHTNESS = [8, 2, 1]
/** How much an item without lines wants to stay where it is. */
const INERTIA = 0.1

/**
 * Where each item begins: columns keep their order and items never come closer than the gap; within
 * that, every item is as near to where its lines want it as the others allow. The first is at 0.
 */
export function placeItems(
  columns: Columns,
  items: readonly Item[],
  segments: readonly Segment[],
): readonly number[] {
  const places = items.map(() => 0)
  for (const column of columns) stack(column, { items, places, wish: () => STAY })
  const { before, after } = wishesOf(items, segments, places)
  for (let round = 0; round < ROUNDS; round++) {
    const isForward = round % 2 === 0
    const isLast = round === ROUNDS - 1
    for (const column of isForward ? columns : columns.toReversed()) {
      const wish = (item: number): Wish => {
        if (isLast) return together([before(item), after(item)])
        return isForward ? before(item) : after(item)
      }
      stack(column, { items, places, wish })
    }
  }
  const least = places.reduce((one, other) => Math.min(one, other), Infinity)
  return places.map((place) => Math.round(place - least))
}

/** The sum of the places that lines would have an item at, each times its weight. */
interface Wish {
  readonly sum: number
  readonly weight: number
}

const STAY: Wish = { sum: 0, weight: 0 }

function together(wishes: readonly Wish[]): Wish {
  return wishes.reduce((all, { sum, weight }) => {
    return { sum: all.sum + sum, weight: all.weight + weight }
  }, STAY)
}

/** Where the lines on either side would have an item, as things stand. */
function wishesOf(
  items: readonly Item[],
  segments: readonly Segment[],
  places: readonly number[],
): { readonly before: (item: number) => Wish; readonly after: (item: number) => Wish } {
  const incoming = Map.groupBy(segments, ({ to }) => to)
  const outgoing = Map.groupBy(segments, ({ from }) => from)
  const wish = ({ from, to, inlet }: Segment, isHead: boolean): Wish => {
    const shift = (items[from]?.outlet ?? 0) - inlet
    const ends = [from, to].filter((item) => items[item]?.isBox === true).length
    const weight = STRAIGHTNESS[ends] ?? 1
    const place = isHead ? (places[from] ?? 0) + shift : (places[to] ?? 0) - shift
    return { sum: place * weight, weight }
  }
  return {
    before: (item) => together((incoming.get(item) ?? []).map((one) => wish(one, true))),
    after: (item) => together((outgoing.get(item) ?? []).map((one) => wish(one, false))),
  }
}

interface Block {
  /** Where the first item of the block would be if all its items had their wish on average. */
  readonly place: number
  readonly weight: number
  readonly count: number
}

/**
 * Moves the items of a column to where they wish to be, and those that would overlap to the mean of
 * their wishes, together: the least sum of squared distances (pool adjacent violators).
 */
function stack(
  column: readonly number[],
  context: {
    readonly items: readonly Item[]
    readonly places: number[]
    readonly wish: (item: number) => Wish
  },
): void {
  const { items, places, wish } = context
  const offsets: number[] = []
  const blocks: Block[] = []
  for (const [index, item] of column.entries()) {
    const above = column[index - 1]
    const offset =
      (offsets.at(-1) ?? 0) + (above === undefined ? 0 : step(items[above], items[item]))
    offsets.push(offset)
    const { sum, weight } = wish(item)
    const wanted = weight === 0 ? (places[item] ?? 0) : sum / weight
    let block: Block = { place: wanted - offset, weight: Math.max(weight, INERTIA), count: 1 }
    for (let last = blocks.at(-1); last !== undefined && last.place > block.place; ) {
      block = merged(last, block)
      blocks.pop()
      last = blocks.at(-1)
    }
    blocks.push(block)
  }
  const starts = blocks.flatMap(({ place, count }) => new Array<number>(count).fill(place))
  for (const [index, item] of column.entries()) {
    places[item] = (starts[index] ?? 0) + (offsets[index] ?? 0)
  }
}

function merged(one: Block, other: Block): Block {
  const weight = one.weight + other.weight
  const place = (one.place * one.weight + other.place * other.weight) / weight
  return { place, weight, count: one.count + other.count }
}

/** From where an item begins to where the next one may. */
function step(one: Item | undefined, other: Item | undefined): number {
  const isBetweenBoxes = one?.isBox === true && other?.isBox === true
  return (one?.across ?? 0) + (isBetweenBoxes ? BOX_GAP : LINE_GAP)
}

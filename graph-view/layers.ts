/** A box that needs another one. */
export interface Need {
  readonly from: number
  readonly to: number
}

/**
 * The column of each box, 0 for the first: one more than the last of those that it needs. Boxes that
 * need nothing stand right before the first box that needs them, so that arrows stay short.
 * Boxes in a circle, and behind one, are put in the first column.
 */
export function layersOf(count: number, needs: readonly Need[]): readonly number[] {
  const after = Map.groupBy(needs, ({ from }) => from)
  const open = new Array<number>(count).fill(0)
  for (const { to } of needs) open[to] = (open[to] ?? 0) + 1
  const roots = open.flatMap((needed, box) => (needed === 0 ? [box] : []))
  const layers = new Array<number>(count).fill(0)
  const ready = [...roots]
  for (const box of ready) {
    for (const { to } of after.get(box) ?? []) {
      layers[to] = Math.max(layers[to] ?? 0, (layers[box] ?? 0) + 1)
      const left = (open[to] ?? 0) - 1
      open[to] = left
      if (left === 0) ready.push(to)
    }
  }
  for (const root of roots) {
    const users = after.get(root) ?? []
    const first = users.reduce((least, { to }) => Math.min(least, layers[to] ?? 0), Infinity)
    if (Number.isFinite(first)) layers[root] = Math.max(0, first - 1)
  }
  return layers
}

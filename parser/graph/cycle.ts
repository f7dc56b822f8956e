/**
 * A cycle among the numbered nodes of a graph, given the nodes that each one points to: its members in
 * order, beginning with the lowest; `undefined` when there is none. Not recursive, so that a long
 * chain cannot exhaust the stack.
 */
export function findCycle(edges: readonly (readonly number[])[]): readonly number[] | undefined {
  const rest = nodesBehindCycles(edges)
  const [start] = rest
  if (start === undefined) return undefined
  const path: number[] = []
  const places = new Map<number, number>()
  let node = start
  for (;;) {
    const seen = places.get(node)
    if (seen !== undefined) return beginWithLowest(path.slice(seen))
    places.set(node, path.length)
    path.push(node)
    const next = edges[node]?.find((target) => rest.has(target))
    if (next === undefined) return undefined
    node = next
  }
}

/** The nodes from which a cycle can be reached: what is left when nodes without edges are removed. */
function nodesBehindCycles(edges: readonly (readonly number[])[]): ReadonlySet<number> {
  const sources = new Map<number, number[]>()
  const open = edges.map((targets, node) => {
    const distinct = new Set(targets)
    for (const target of distinct) {
      const known = sources.get(target)
      if (known === undefined) sources.set(target, [node])
      else known.push(node)
    }
    return distinct.size
  })
  const rest = new Set(edges.keys())
  const removable = [...rest].filter((node) => open[node] === 0)
  for (let node = removable.pop(); node !== undefined; node = removable.pop()) {
    rest.delete(node)
    for (const source of sources.get(node) ?? []) {
      const left = (open[source] ?? 0) - 1
      open[source] = left
      if (left === 0) removable.push(source)
    }
  }
  return rest
}

function beginWithLowest(cycle: readonly number[]): readonly number[] {
  const start = cycle.indexOf(cycle.reduce((low, node) => Math.min(low, node)))
  return [...cycle.slice(start), ...cycle.slice(0, start)]
}

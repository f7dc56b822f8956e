/** What a client can tell of a vertex in the end, as BuildKit's progress has it in JSON. */
export interface ShownVertex {
  readonly digest: string
  readonly inputs: readonly string[]
  readonly name: string
  /** Nanoseconds since 1970. */
  readonly started: bigint | undefined
  readonly isCompleted: boolean
  readonly isCached: boolean
  readonly error: string
}

/** What a server itself does for a build, or the test in its place. */
const OWN = /^\[internal\] load (?:build definition|build context|\.dockerignore)/

/** The vertices of a build with how they have ended, each once, in the order of their names. */
export function vertexFacts(vertices: Iterable<ShownVertex>, host: string): readonly string[] {
  const built = [...vertices].filter(({ name }) => !OWN.test(name))
  const facts = new Set(built.map((vertex) => `${stateOf(vertex)} ${nameOf(vertex, host)}`))
  return [...facts].toSorted()
}

/** The names of the steps that were executed, in the order in which they began. */
export function executedSteps(vertices: Iterable<ShownVertex>): readonly string[] {
  const steps = [...vertices].filter((vertex) => {
    const isStep = /^\[(?!(?:\S+ )?internal)[^\]]*\] (?!FROM )/.test(vertex.name)
    return isStep && vertex.started !== undefined && !vertex.isCached
  })
  const inOrder = steps.toSorted((a, b) => ((a.started ?? 0n) < (b.started ?? 0n) ? -1 : 1))
  return inOrder.map(({ name }) => name)
}

function stateOf({ started, isCompleted, isCached, error }: ShownVertex): string {
  if (error.endsWith('context canceled')) return 'CANCELED'
  if (error !== '') return 'ERROR'
  if (isCached) return 'CACHED'
  if (isCompleted) return 'DONE'
  return started === undefined ? 'WAITING' : 'STARTED'
}

function nameOf({ name }: ShownVertex, host: string): string {
  return name.replaceAll(host, 'HOST').replace(/sha256:[0-9a-f]{64}/g, 'DIGEST')
}

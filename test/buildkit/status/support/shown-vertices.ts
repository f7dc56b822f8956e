import type { StatusResponse, Timestamp } from '#buildkit/messages'
import type { ShownVertex } from './vertex-facts.ts'

/** The last state of each vertex. */
export function shownVertices(responses: readonly StatusResponse[]): Map<string, ShownVertex> {
  const vertices = new Map<string, ShownVertex>()
  for (const { vertexes } of responses) {
    for (const { digest, inputs, name, started, completed, cached, error } of vertexes) {
      vertices.set(digest, {
        ...{ digest, inputs, name, error },
        started: nanoseconds(started),
        isCompleted: completed !== undefined,
        isCached: cached,
      })
    }
  }
  return vertices
}

function nanoseconds(time: Timestamp | undefined): bigint | undefined {
  return time && BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanos)
}

/** The IDs of what vertices consist of, by their names. */
export function shownParts(
  responses: readonly StatusResponse[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const vertices = shownVertices(responses)
  const parts = new Map<string, Set<string>>()
  for (const { ID, vertex } of responses.flatMap(({ statuses }) => statuses)) {
    const name = vertices.get(vertex)?.name ?? ''
    parts.set(name, (parts.get(name) ?? new Set()).add(ID))
  }
  return parts
}

/** What was printed by all vertices of a name. */
export function shownOutput(responses: readonly StatusResponse[], name: string): string {
  const vertices = shownVertices(responses)
  const logs = responses.flatMap((one) => one.logs)
  const own = logs.filter(({ vertex }) => vertices.get(vertex)?.name === name)
  return Buffer.concat(own.map(({ msg }) => msg)).toString()
}

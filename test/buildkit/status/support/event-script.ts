import type { StatusResponse } from '#buildkit/messages'
import type { StatusFeed } from '#buildkit/status'
import type { BuildFact } from '#core'

/** Gives facts to a feed at times, in seconds from a fixed one. */
export function play(
  feed: StatusFeed,
  script: readonly (readonly [seconds: number, fact: BuildFact])[],
): void {
  const listener = feed.listener()
  for (const [seconds, fact] of script) listener({ ...fact, time: START + seconds * 1000 })
}

/** Milliseconds since 1970. */
export const START = 1_600_000_000_000

export function started(vertex: string, name: string = vertex): BuildFact {
  return { type: 'started', vertex, name }
}

export function done(vertex: string): BuildFact {
  return { type: 'done', vertex, milliseconds: 1 }
}

export function printed(
  vertex: string,
  text: string | Buffer,
  stream: 'stdout' | 'stderr' = 'stdout',
): BuildFact {
  return { type: 'log', vertex, stream, data: Buffer.from(text) }
}

/** All of a feed that is closed, or up to `count` responses. */
export async function collect(
  responses: AsyncIterable<StatusResponse>,
  count: number = Number.POSITIVE_INFINITY,
): Promise<readonly StatusResponse[]> {
  const all: StatusResponse[] = []
  for await (const one of responses) {
    all.push(one)
    if (all.length >= count) break
  }
  return all
}

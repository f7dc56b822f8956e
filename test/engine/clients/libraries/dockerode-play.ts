import Docker from 'dockerode'
import type { Play } from '../compared/witness.ts'
import type { Engine } from '../support/engine.ts'
import { flatten } from '../support/flatten.ts'
import { Placeholders } from '../support/placeholders.ts'
import type { Said } from '../support/said.ts'
import { CALLS } from './dockerode-calls.ts'

/** That of Debian's dockerd. */
const VERSION = 'v1.41'

/** Makes all calls of an engine; what it refuses is an answer as well. */
async function makeCalls(engine: Engine): Promise<readonly Said[]> {
  const docker = new Docker({ socketPath: engine.socket, version: VERSION })
  const placeholders = new Placeholders({ [engine.folder]: 'engine' })
  const said: Said[] = []
  for (const [title, call] of CALLS) {
    placeholders.next()
    const lines = await call(docker).then(linesOf, linesOfError)
    said.push({ title, lines: lines.map((line) => placeholders.put(line)) })
  }
  return said
}

function linesOf(body: unknown): readonly string[] {
  // Nothing is a body as well, and bytes are text.
  return flatten({ body: Buffer.isBuffer(body) ? body.toString() : (body ?? '') })
}

function linesOfError(error: {
  readonly statusCode?: number
  readonly json?: unknown
}): readonly string[] {
  if (error.statusCode === undefined) throw error
  return flatten({ status: error.statusCode, body: error.json ?? '' })
}

/** All calls, one after another. */
export const DOCKERODE: Play = {
  key: ['dockerode'],
  on: makeCalls,
}

import type { BuildTrace, CacheKey } from '#cache'
import type { CacheHit, ExecutionReason, Json } from '#core'

/** What a build did: its vertices, inputs before what uses them. */
export interface Trace extends Omit<BuildTrace, 'document'> {
  readonly vertices: readonly TracedVertex[]
}

/** One vertex of a build, and what became of it. */
export interface TracedVertex {
  readonly id: string
  /** As progress shows it. */
  readonly name: string
  readonly op: string
  readonly stage: string
  /** First and last line in the Dockerfile. */
  readonly lines: readonly [first: number, last: number]
  readonly platform: string
  /** The vertex that it is done on; absent for one that does not depend on it. */
  readonly root?: string
  /** What a linked copy lies on, which does not matter to it. */
  readonly under?: string
  /** The vertices that its files come from, in the order of its key; null is a context or an empty stage. */
  readonly sources?: readonly (string | null)[]
  /** It serves a step and is not one of the Dockerfile. */
  readonly internal?: true
  /** Names of the build arguments that are declared where it stands; of executed steps only. */
  readonly args?: readonly string[]
  /** The path in its source that a copy has copied, where it is one; of executed steps only. */
  readonly path?: string
  /** The key of its result; absent where it did not get that far. */
  readonly key?: CacheKey
  readonly end?: 'done' | 'cached' | 'failed' | 'cancelled'
  /** How its result was found. */
  readonly by?: CacheHit
  /** Why it was executed. */
  readonly reason?: ExecutionReason
  /** The document of its key, of a step that left no record. */
  readonly preimage?: Json
}

/** The form of stored traces; those of another form are not read. */
const VERSION = 1

/** A trace as it is stored. */
export function traceDocument(vertices: readonly TracedVertex[]): Json {
  return { version: VERSION, vertices: vertices as unknown as Json }
}

/** A stored trace; `undefined` for one that another tsbuild has written in another form. */
export function readTrace({ document, ...stored }: BuildTrace): Trace | undefined {
  const { version, vertices } = document as unknown as {
    readonly version: number
    readonly vertices: readonly TracedVertex[]
  }
  return version === VERSION ? { ...stored, vertices } : undefined
}

/** Whether a vertex is a step of the Dockerfile. */
export function isStep({ op, internal }: TracedVertex): boolean {
  return (op === 'exec' || op === 'files') && internal !== true
}

/** Whether a vertex was executed, whether or not it succeeded. */
export function hasRun({ reason }: TracedVertex): boolean {
  return reason !== undefined
}

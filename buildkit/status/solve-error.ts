import { type AnyMessage, RPC_STATUS } from '#buildkit/messages'
import { type ErrorCode, firstFailure, isCancelled, TsbuildError } from '#core'
import { SourceError } from '#parser'
import { sourceExcerpt } from './source-excerpt.ts'
import { CANCELED } from './status-table.ts'

/** How a call fails. Spec: https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
export interface SolveFailure {
  readonly code: number
  readonly message: string
  /** A `google.rpc.Status`: the value of `grpc-status-details-bin`, before base64. */
  readonly details: Buffer
}

const CANCELLED_CODE = 1
const UNKNOWN = 2
const INTERNAL = 13

/**
 * Other codes than `UNKNOWN` are shown before the message, and decide on the exit code of clients. BuildKit leaves
 * mistakes of users, and what registries and steps do, at that.
 */
const CODES: Partial<Readonly<Record<ErrorCode, number>>> = {
  CANCELLED: CANCELLED_CODE,
  NO_SPACE: 8,
  SNAPSHOT_FULL: 8,
  UNSUPPORTED: 12,
}

const TYPES = 'github.com/moby/buildkit/errdefs.'

/**
 * A longer message is cut, bytes: trailers must stay below the 64 KiB that Node's HTTP/2 sends, where this one
 * is twice, once with each byte as three.
 */
const LONGEST = 8 * 1024
/** Places that are sent, the most important ones. */
const MOST_PLACES = 16

/** Where a failure happened. */
export interface FailurePlace {
  /** Digest of the vertex that failed, if one did. */
  readonly vertex?: string | undefined
}

/**
 * What a client is told of the failure of a solve: it adds `failed to solve: `, and shows the lines of the
 * Dockerfile. Messages of bugs have no stacks.
 */
export function solveError(thrown: unknown, { vertex }: FailurePlace = {}): SolveFailure {
  const cause = firstFailure(thrown)
  const code = codeOf(cause)
  const message = code === CANCELLED_CODE ? CANCELED : shorten(messageOf(cause))
  const source = sourceOf(cause)
  const details = [
    ...(vertex === undefined ? [] : [detail('Vertex', { digest: vertex })]),
    ...(source === undefined ? [] : [detail('Source', source)]),
  ]
  return { code, message, details: RPC_STATUS.encode({ code, message, details }) }
}

function codeOf(cause: unknown): number {
  if (isCancelled(cause)) return CANCELLED_CODE
  return cause instanceof TsbuildError ? (CODES[cause.code] ?? UNKNOWN) : INTERNAL
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function shorten(message: string): string {
  const bytes = Buffer.from(message.toWellFormed())
  if (bytes.length <= LONGEST) return bytes.toString()
  // A character may be cut in its middle.
  return `${bytes
    .subarray(0, LONGEST)
    .toString()
    .replace(/\ufffd$/, '')}…`
}

/** In the JSON of Go's encoder, in which BuildKit has them. */
function detail(type: string, value: object): AnyMessage {
  return { type_url: `${TYPES}${type}+json`, value: Buffer.from(JSON.stringify(value)) }
}

function sourceOf(cause: unknown): object | undefined {
  if (!(cause instanceof SourceError) || cause.source === undefined) return undefined
  const places = cause.ranges.slice(0, MOST_PLACES)
  const lines = places.map(({ start, end }) => ({ start: start.line, end: end.line }))
  const excerpt = sourceExcerpt(cause.source, lines)
  if (excerpt === undefined) return undefined
  const { info, ranges } = excerpt
  return {
    info: { ...info, data: info.data.toString('base64') },
    ranges: ranges.map(({ start, end }) => ({
      start: { line: start?.line },
      end: { line: end?.line },
    })),
  }
}

import type { StatusResponse } from '#buildkit/messages'
import type { Changes } from './status-table.ts'

/** A response of this size is sent, and another one begun, bytes. gRPC's clients take at most 4 MiB unless told so. */
const RESPONSE_SIZE = 1024 * 1024
/** For digests, times and lengths of one message. */
const OVERHEAD = 256

type Lists = { -readonly [K in keyof StatusResponse]: StatusResponse[K][number][] }

/** The changes in responses that are not too long, in their order. */
export function* responsesOf(changes: Changes): Generator<StatusResponse> {
  let lists: Lists = empty()
  let size = 0
  for (const { into, size: own } of messagesOf(changes)) {
    if (size > 0 && size + own > RESPONSE_SIZE) {
      yield lists
      lists = empty()
      size = 0
    }
    into(lists)
    size += own + OVERHEAD
  }
  if (size > 0) yield lists
}

interface Sized {
  readonly size: number
  readonly into: (lists: Lists) => void
}

function* messagesOf({ vertexes, statuses, warnings, logs }: Changes): Generator<Sized> {
  for (const one of vertexes) {
    const inputs = one.inputs.reduce((sum, input) => sum + input.length + 4, 0)
    const size = 3 * (one.name.length + one.error.length) + inputs
    yield { size, into: (lists) => lists.vertexes.push(one) }
  }
  for (const one of statuses) {
    yield { size: 3 * one.ID.length, into: (lists) => lists.statuses.push(one) }
  }
  for (const one of warnings) {
    const detail = one.detail.reduce((sum, text) => sum + text.length, 0)
    const size = one.short.length + detail + 3 * one.url.length + (one.info?.data.length ?? 0)
    yield { size, into: (lists) => lists.warnings.push(one) }
  }
  for (const one of logs) {
    yield { size: one.msg.length, into: (lists) => lists.logs.push(one) }
  }
}

function empty(): Lists {
  return { vertexes: [], statuses: [], logs: [], warnings: [] }
}

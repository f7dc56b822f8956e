import { firstFailure, isCancelled } from '../errors.ts'
import type { BuildPart, CacheHit, ExecutionReason, ExportedImages, OnEvent } from './events.ts'

/** What is reported as one vertex. */
export interface ReportedVertex<T> {
  readonly id: string
  readonly name: string
  readonly part?: BuildPart
  readonly reason?: ExecutionReason
  /** What the result says about how the vertex has ended; default: nothing. */
  readonly ending?: (result: T) => Ending
}

/** How a vertex has ended well: as cached when there is a `hit`. */
export interface Ending {
  readonly hit?: CacheHit | undefined
  readonly key?: string | undefined
  readonly exported?: ExportedImages | undefined
}

/** Reports a vertex while `perform` is under way: its start, and how it has ended. */
export async function reported<T>(
  { id, name, part, reason, ending = () => ({}) }: ReportedVertex<T>,
  onEvent: OnEvent,
  perform: () => Promise<T>,
): Promise<T> {
  const started = performance.now()
  const known = { ...(part && { part }), ...(reason && { reason }) }
  onEvent({ type: 'started', vertex: id, name, ...known })
  let result: T
  try {
    result = await perform()
  } catch (cause) {
    const first = firstFailure(cause)
    const message = first instanceof Error ? first.message : String(first)
    const milliseconds = performance.now() - started
    if (isCancelled(cause)) onEvent({ type: 'cancelled', vertex: id })
    else onEvent({ type: 'failed', vertex: id, message, milliseconds })
    throw cause
  }
  const { hit, key, exported } = ending(result)
  const keyed = key === undefined ? {} : { key }
  const milliseconds = performance.now() - started
  if (hit !== undefined) onEvent({ type: 'cached', vertex: id, by: hit, ...keyed })
  else onEvent({ type: 'done', vertex: id, milliseconds, ...keyed, ...(exported && { exported }) })
  return result
}

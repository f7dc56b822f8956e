import { isCancelled } from '../errors.ts'
import type { OnEvent } from './events.ts'

/** Tells of a vertex while `perform` is under way: that it started, then how it ended. */
export async function reported<T>(
  vertex: { readonly id: string; readonly name: string },
  onEvent: OnEvent,
  perform: () => Promise<T>,
): Promise<T> {
  const { id, name } = vertex
  const started = performance.now()
  onEvent({ type: 'started', vertex: id, name })
  let result: T
  try {
    result = await perform()
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    const milliseconds = performance.now() - started
    if (isCancelled(cause)) onEvent({ type: 'cancelled', vertex: id })
    else onEvent({ type: 'failed', vertex: id, message, milliseconds })
    throw cause
  }
  onEvent({ type: 'done', vertex: id, milliseconds: performance.now() - started })
  return result
}

import { setTimeout } from 'node:timers/promises'
import { type ErrorCode, TsbuildError } from '#core'

/** How a registry answers to a manifest when it lacks something that this refers to. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set(['NOT_FOUND', 'REGISTRY_FAILED'])
const ATTEMPTS = 6
/** Milliseconds. */
const PAUSE = 100

/**
 * Puts a manifest, and again when it is refused: docker-registry 2.8 lacks a blob for a moment while another
 * writer puts the same one, since it writes its files in place.
 * @param onRefused called before another attempt
 */
export async function insist<T>(
  put: () => Promise<T>,
  {
    signal,
    onRefused,
  }: { readonly signal: AbortSignal | undefined; readonly onRefused?: () => Promise<void> },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await put()
    } catch (cause) {
      const isRefused = cause instanceof TsbuildError && REFUSALS.has(cause.code)
      if (!isRefused || attempt === ATTEMPTS) throw cause
      await onRefused?.()
      const options = signal === undefined ? {} : { signal }
      await setTimeout(attempt * PAUSE * (0.5 + Math.random()), undefined, options)
    }
  }
}

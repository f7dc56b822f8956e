import { breakRing, originalFailure, type Ring } from '#builder/threads'
import type { WorkPool } from '../work/work-pool.ts'

/** Two threads: what one writes the other reads at the same time. */
interface Pair<W, R> {
  readonly write: (ring: Ring) => Promise<W>
  readonly read: (ring: Ring) => Promise<R>
}

/**
 * Has two threads work on the same bytes; a failure of one ends the other.
 * @returns `undefined` when there was nothing to write
 */
export function readAlong<W extends object, R>(
  { write, read }: Pair<W | undefined, R>,
  pool: WorkPool,
): Promise<{ readonly copied: W; readonly read: R } | undefined> {
  return pool.withRing(async (ring) => {
    const close = (): void => breakRing(ring)
    const halves = await Promise.allSettled([write(ring).finally(close), read(ring).finally(close)])
    const [copied, done] = halves
    // The other end waited in vain.
    const written = copied.status === 'fulfilled' ? copied.value : undefined
    if (copied.status === 'fulfilled' && written === undefined) return undefined
    if (written !== undefined && done.status === 'fulfilled') {
      return { copied: written, read: done.value }
    }
    const causes = halves.flatMap((half) =>
      half.status === 'rejected' ? [half.reason as unknown] : [],
    )
    throw originalFailure(causes)
  })
}

import { breakRing, originalFailure, type Ring } from '#builder/threads'
import type { WorkPool } from './work-pool.ts'

/** Two threads: what one writes the other reads at the same time. */
interface Pair<W, R> {
  readonly write: (ring: Ring) => Promise<W>
  readonly read: (ring: Ring) => Promise<R>
}

/** Has two threads work on the same bytes; a failure of one ends the other. */
export function readAlong<W, R>(
  { write, read }: Pair<W, R>,
  pool: WorkPool,
): Promise<{ readonly written: W; readonly read: R }> {
  return pool.withRing(async (ring) => {
    const close = (): void => breakRing(ring)
    const halves = await Promise.allSettled([write(ring).finally(close), read(ring).finally(close)])
    const [written, done] = halves
    if (written.status === 'fulfilled' && done.status === 'fulfilled') {
      return { written: written.value, read: done.value }
    }
    const causes = halves.flatMap((half) =>
      half.status === 'rejected' ? [half.reason as unknown] : [],
    )
    throw originalFailure(causes)
  })
}

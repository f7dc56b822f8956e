import { setTimeout } from 'node:timers/promises'
import type { OnWait } from '#cache'
import { type OnEvent, reported } from '#core'

/** Milliseconds; shorter waits are not reported. */
const REPORTED_AFTER = 300

/**
 * Reports each long wait for another build as a vertex, for as long as it lasts.
 * @param user what waits: the IDs of its vertices are unique
 */
export function reportWaits(onEvent: OnEvent, user: 'build' | 'context' | 'root'): OnWait {
  let count = 0
  return ({ reason, ended }) => {
    const id = `wait ${user} ${count++}`
    const report = async (): Promise<void> => {
      const isOver = await Promise.race([
        ended.then(() => true),
        setTimeout(REPORTED_AFTER, false, { ref: false }),
      ])
      if (!isOver)
        await reported(
          { id, name: `[internal] wait for ${reason}`, part: 'waiting' },
          onEvent,
          () => ended,
        )
    }
    // The waiting call throws the failure.
    report().catch(() => undefined)
  }
}

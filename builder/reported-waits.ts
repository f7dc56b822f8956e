import { setTimeout } from 'node:timers/promises'
import type { OnWait } from '#cache'
import { type OnEvent, reported } from '#core'

/** Milliseconds: what is shorter is not worth a line. */
const WORTH_TELLING = 300

/**
 * Reports each wait for a store as a vertex for as long as it lasts.
 * @param user what uses the store: IDs of vertices are unique for each
 */
export function reportWaits(onEvent: OnEvent, user: 'build' | 'context'): OnWait {
  let count = 0
  return ({ reason, ended }) => {
    const id = `wait ${user} ${count++}`
    const tell = async (): Promise<void> => {
      const isOver = await Promise.race([
        ended.then(() => true),
        setTimeout(WORTH_TELLING, false, { ref: false }),
      ])
      if (!isOver)
        await reported({ id, name: `[internal] wait for ${reason}` }, onEvent, () => ended)
    }
    // Who waits says what went wrong.
    tell().catch(() => undefined)
  }
}

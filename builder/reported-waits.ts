import { setTimeout } from 'node:timers/promises'
import type { OnWait } from '#cache'
import { type OnEvent, reported } from '#core'

/** Milliseconds: what is shorter is not worth a line. */
const WORTH_TELLING = 300

/** Shows each wait as a vertex of its own, for as long as it lasts. */
export function reportWaits(onEvent: OnEvent): OnWait {
  let count = 0
  return ({ reason, ended }) => {
    const id = `wait ${count++}`
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

import type { BuildEvent } from '#core'
import { type Progress, TICK } from './progress.ts'

/** A clock that shows the time of what is replayed; milliseconds. */
export interface ReplayClock {
  now: number
}

/** Ticks that are made up for a time in which nothing happened: it shows in no view after them. */
const MOST_TICKS = 600

/**
 * Shows recorded events as if they happened now: `clock` is what the view takes its time from. It is
 * set to the time of the first event, and goes on from event to event.
 */
export function replay(events: Iterable<BuildEvent>, view: Progress, clock: ReplayClock): void {
  for (const event of events) {
    for (let ticks = 0; clock.now + TICK <= event.time && ticks < MOST_TICKS; ticks++) {
      clock.now += TICK
      view.tick()
    }
    clock.now = Math.max(clock.now, event.time)
    view.handle(event)
  }
}

import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds between two looks. */
const INTERVAL = 20

/** Looks until it is so. @throws where it is not within `milliseconds` */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  milliseconds = 20_000,
): Promise<void> {
  const deadline = Date.now() + milliseconds
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${isSo}`)
    await delay(INTERVAL)
  }
}

/**
 * Asks until the answer was empty twice in a row or `milliseconds` are over; returns the last answer.
 * One look at /proc is not enough: it misses a process that is forked while its parent is killed.
 */
export async function untilEmpty(
  ask: () => readonly string[],
  milliseconds: number,
): Promise<readonly string[]> {
  const deadline = Date.now() + milliseconds
  let wasEmpty = false
  for (;;) {
    const answer = ask()
    if ((wasEmpty && answer.length === 0) || Date.now() > deadline) return answer
    wasEmpty = answer.length === 0
    await delay(INTERVAL)
  }
}

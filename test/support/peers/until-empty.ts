import { setTimeout as delay } from 'node:timers/promises'

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
    await delay(20)
  }
}

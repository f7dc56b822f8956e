import type { Timing } from '#http'

/** Sleeps that take no time, and what was slept. */
export class TestTiming implements Timing {
  readonly slept: number[] = []

  now(): number {
    return Date.now()
  }

  elapsed(): number {
    return performance.now()
  }

  async sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    this.slept.push(milliseconds)
  }

  random(): number {
    return 0.5
  }
}

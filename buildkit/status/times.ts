import type { Timestamp } from '#buildkit/messages'

const BILLION = 1e9

/** @param time milliseconds since 1970, with fractions */
export function timestampOf(time: number): Timestamp {
  const seconds = Math.floor(time / 1000)
  // Rounding may give a whole second.
  const nanos = Math.round((time - seconds * 1000) * 1e6)
  return nanos < BILLION ? { seconds, nanos } : { seconds: seconds + 1, nanos: 0 }
}

export function optionalTimestamp(time: number | undefined): Timestamp | undefined {
  return time === undefined ? undefined : timestampOf(time)
}

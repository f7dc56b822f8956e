import type { FileStat } from '#core'

/** Access time, which is not kept, and modification time. */
export function timesOf({ mtimeMs }: FileStat): [number | string, number | string] {
  // node:fs takes a negative number as the current time, but not a negative string.
  const seconds = mtimeMs < 0 ? String(mtimeMs / 1000) : mtimeMs / 1000
  return [seconds, seconds]
}

import { chmodSync, closeSync, constants, openSync } from 'node:fs'
import { O_PATH } from '#builder/linux'
import type { FileStat } from '#core'

/** Access time, which is not kept, and modification time. */
export function timesOf({ mtimeMs }: FileStat): [number | string, number | string] {
  // node:fs takes a negative number as the current time, but not a negative string.
  const seconds = mtimeMs < 0 ? String(mtimeMs / 1000) : mtimeMs / 1000
  return [seconds, seconds]
}

/** Sets the mode of a device, by O_PATH: opening a device may have side effects. */
export function setModeOfNode(place: string | Buffer, mode: number): void {
  const node = openSync(place, O_PATH | constants.O_NOFOLLOW)
  try {
    chmodSync(`/proc/self/fd/${node}`, mode)
  } finally {
    closeSync(node)
  }
}

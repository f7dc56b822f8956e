import { utimesSync } from 'node:fs'
import { errnoOf } from '#core'

/** Finer would mean a write for every look-up; milliseconds. */
const HOUR = 3_600_000

/** Keeps in the time of a file when it was used, to the hour. Best effort: who uses it does not depend on it. */
export function noteUse(path: string, { mtimeMs }: { readonly mtimeMs: number }): void {
  if (Math.abs(Date.now() - mtimeMs) > HOUR) touch(path)
}

/** The same, to the millisecond. */
export function touch(path: string): void {
  try {
    const now = new Date()
    utimesSync(path, now, now)
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
  }
}

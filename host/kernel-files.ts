import { readdirSync, readFileSync } from 'node:fs'
import { errnoOf } from '#core'

/** The text of a file of the kernel; `undefined` where it has none, or refuses to show it. */
export function readIfShown(path: string): string | undefined {
  return ifShown(() => readFileSync(path, 'latin1'))
}

/** The names in a directory of the kernel; none where it has no such one, or refuses to show it. */
export function namesIfShown(path: string): readonly string[] {
  return ifShown(() => readdirSync(path)) ?? []
}

function ifShown<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}

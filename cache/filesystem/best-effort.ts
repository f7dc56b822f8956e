import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { errnoOf } from '#core'

/** The names in a folder; none where there is no folder, or it cannot be read. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return []
  }
}

/** What is at a path, which need not be UTF-8; `undefined` where nothing is, or it cannot be looked at. */
export function statOf(path: string | Buffer): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}

import { readFileSync } from 'node:fs'
import { errnoOf } from '#core'

/** The text of a file, empty when there is none. */
export function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return ''
    throw cause
  }
}

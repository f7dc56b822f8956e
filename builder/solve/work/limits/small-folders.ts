import { type Dirent, lstatSync, opendirSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '#core'
import { LimitExceeded, type WorkLimit, WorkMeter } from './work-meter.ts'

/** Names that are read at once. */
const BATCH = 64

/**
 * Whether folders hold no more, in all, than a limit. It looks at no more than that. False for what cannot
 * be walked by paths: too deep, not readable, with names that are no text.
 */
export function areSmallFolders(folders: readonly string[], limit: WorkLimit): boolean {
  const meter = new WorkMeter(limit)
  const left = [...folders]
  try {
    for (let folder = left.pop(); folder !== undefined; folder = left.pop()) {
      for (const entry of entriesOf(folder)) {
        meter.look()
        const path = join(folder, entry.name)
        if (entry.isDirectory()) left.push(path)
        else if (entry.isFile()) meter.read(lstatSync(path).size)
      }
    }
    return true
  } catch (cause) {
    if (cause instanceof LimitExceeded || errnoOf(cause) !== undefined) return false
    throw cause
  }
}

/** Not read as a whole: a folder may have any number of entries. */
function* entriesOf(folder: string): Generator<Dirent> {
  const directory = opendirSync(folder, { bufferSize: BATCH })
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) yield entry
  } finally {
    directory.closeSync()
  }
}

import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from '#core'

/** Makes a folder, and those above it that are missing. One that is there stays as it is. */
export function makeFolders(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { recursive: true, mode })
  } catch (cause) {
    // After some errors, that of a quota among them, Node reports what it finds at the path in their place.
    if (errnoOf(cause) !== 'ENOENT') throw cause
    makeOneByOne(path, mode)
  }
}

function makeOneByOne(path: string, mode: number): void {
  if (!existsSync(dirname(path))) makeOneByOne(dirname(path), mode)
  try {
    mkdirSync(path, { mode })
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw cause
  }
}

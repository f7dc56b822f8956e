import { lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { storeError } from './failure.ts'
import type { Layout } from './layout.ts'
import type { Presence } from './presence.ts'
import { syncFolder } from './sync.ts'

/**
 * Gives a small file of the store a new content: all of it or nothing, and on the disk when this
 * returns.
 * @throws {TsbuildError} NO_SPACE, PERMISSION_DENIED
 */
export function replaceFile(
  path: string,
  text: string,
  services: { readonly layout: Layout; readonly presence: Presence },
): void {
  const file = services.presence.newPath()
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o644, flush: true })
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found !== undefined && !found.isFile()) setAside(services.layout, path)
    renameSync(file, path)
    syncFolder(dirname(path))
  } catch (cause) {
    rmSync(file, { force: true })
    throw storeError(`write ${path}`, cause)
  }
}

/** Moves something damaged to `corrupt/`, for a person to look at. */
export function setAside(layout: Layout, path: string): void {
  renameSync(path, join(layout.corrupt, `${Date.now()}-${process.pid}-${basename(path)}`))
}

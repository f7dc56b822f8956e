import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { hashOfText } from './hash.ts'

/** How many bundles have kept code: some versions of tsbuild and of Node, by turns. */
const MAX_FOLDERS = 6

/**
 * The folder for compiled code, which need not be there; none where Node is told to keep no such code. Code
 * is run as it is found, so it must not lie where another user may write, such as a shared folder or, under
 * sudo, the home of the caller.
 */
export function codeFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (env.NODE_DISABLE_COMPILE_CACHE === '1') return undefined
  const base = env.XDG_CACHE_HOME || (env.HOME === undefined ? '' : join(env.HOME, '.cache'))
  return isAbsolute(base) ? join(base, 'tsbuild', 'code') : undefined
}

/** The folder for one bundle: compiled code depends on the bundle's files, on Node, and on flags of V8. */
export function bundleFolder(folder: string, version: string): string {
  const flags = hashOfText([...process.execArgv, process.env.NODE_OPTIONS].join(' ')) >>> 0
  return join(folder, [version, process.version, process.arch, flags.toString(16)].join('-'))
}

/** Makes the folder of a bundle. False where its place is not this user's alone. */
export function makeCodeFolder(folder: string): boolean {
  const code = dirname(folder)
  const base = dirname(dirname(code))
  // A home that is named and not there, as for accounts of services, is not to be made.
  if (!isOwned(base) && !isOwned(dirname(base))) return false
  // One by one: below /proc, the recursive call of Node never ends.
  for (const path of [base, dirname(code), code, folder]) {
    if (!existsSync(path)) mkdirSync(path, 0o700)
    if (path.startsWith(code) && !isOurs(path)) return false
  }
  return true
}

/** Removes all but the newest folders of bundles, by the time when something was written. */
export function removeOldFolders(folder: string): void {
  const paths = readdirSync(folder).map((name) => join(folder, name))
  if (paths.length <= MAX_FOLDERS) return
  const found = paths.map((path) => ({ path, time: timeOf(path) }))
  found.sort((a, b) => b.time - a.time)
  for (const { path } of found.slice(MAX_FOLDERS)) rmSync(path, { recursive: true, force: true })
}

function isOwned(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.uid === process.geteuid?.()
}

/** Whether no other user can put something there. */
function isOurs(path: string): boolean {
  const found = lstatSync(path)
  return found.isDirectory() && isOwned(path) && (found.mode & 0o022) === 0
}

/** Another process may have removed it. */
function timeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

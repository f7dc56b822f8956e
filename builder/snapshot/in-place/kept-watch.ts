import { accessSync, constants, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { mountPoints } from '#builder/linux'
import { errnoOf, TsbuildError, textOfName } from '#core'
import { collisionHint, isIn } from './collision-hints.ts'

/** What steps must not write to, as far as that is watched. */
export interface WatchedFolders {
  /** With all folders in them: those of the files that images are built from. */
  readonly contexts: readonly string[]
  /** Themselves alone, as what is mounted. */
  readonly tops: readonly string[]
  /** What the build itself writes to. */
  readonly store: string
}

/** Mounted folders in which nobody looks for files of an image, and those of every container. */
const UNWATCHED = /^\/(?:$|(?:proc|sys|dev|run|tmp|var\/(?:run|tmp))(?:\/|$))/

/** A picture of more costs more than it is worth. */
const MOST_FOLDERS = 1000

/**
 * Finds out that a step has made or removed something where its changes are in no layer. It compares
 * times of folders, which change with their entries: a few microseconds for each.
 */
export class KeptWatch {
  readonly #contexts: readonly string[]
  readonly #folders: readonly string[]
  #times: readonly number[] = []

  constructor({ contexts, tops, store }: WatchedFolders) {
    const isWatched = (path: string): boolean => !isIn(path, store) && isWritableFolder(path)
    const mounted = mountPoints().map(textOfName)
    const others = [...tops, ...mounted.filter((path) => !UNWATCHED.test(path))]
    const found = new Set(contexts.filter((path) => path !== '/' && isWatched(path)))
    this.#contexts = [...found]
    for (const path of found) {
      if (found.size >= MOST_FOLDERS) break
      for (const below of foldersIn(path)) if (!isIn(below, store)) found.add(below)
    }
    this.#folders = [...found, ...others.filter((path) => !found.has(path) && isWatched(path))]
  }

  /** Before a step. */
  begin(): void {
    this.#times = this.#folders.map(timeOf)
  }

  /** After it. @throws {TsbuildError} STEP_FAILED for what the step has changed since */
  check(): void {
    const changed = this.#folders.find((path, index) => timeOf(path) !== this.#times[index])
    if (changed === undefined) return
    const path = newestIn(changed)
    throw new TsbuildError(`the step has changed ${path}, which would be missing in the image`, {
      code: 'STEP_FAILED',
      hint: `${collisionHint(path, this.#contexts)}; if something else writes there meanwhile, keep it from that`,
    })
  }
}

function isWritableFolder(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return lstatSync(path).isDirectory()
  } catch {
    return false
  }
}

/** A folder of most file systems has a link from each folder in it: without any it need not be read. */
function foldersIn(path: string): readonly string[] {
  if (lstatSync(path).nlink === 2) return []
  const entries = readdirSync(path, { withFileTypes: true })
  return entries.flatMap((entry) => (entry.isDirectory() ? [join(path, entry.name)] : []))
}

/** `NaN`, which equals nothing, when it is gone. */
function timeOf(path: string): number {
  try {
    return lstatSync(path).ctimeMs
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
    return Number.NaN
  }
}

/** The entry of a folder that was changed last, if that is as new as the folder; else the folder. */
function newestIn(folder: string): string {
  const time = timeOf(folder)
  const names = Number.isNaN(time) ? [] : readdirSync(folder)
  const paths = names.map((name) => join(folder, name))
  return paths.find((path) => timeOf(path) >= time) ?? folder
}

import { lstatSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { errnoOf, ownersFileOf } from '#core'
import { storeError } from '../filesystem/failure.ts'
import type { FolderKind } from '../filesystem/folder-kind.ts'
import { type Layout, layersFolder } from '../filesystem/layout.ts'
import type { Database } from './database.ts'
import { ALL_WITH_FOLDER } from './layer-record.ts'

/** Moves the folder of a layer to its place, with its owners. False when there is a folder already. */
export function moveFolder(from: string, target: string): boolean {
  try {
    const found = lstatSync(target, { throwIfNoEntry: false })
    if (found !== undefined && !found.isDirectory()) rmSync(target)
    // Renaming would replace an empty one.
    if (found?.isDirectory() === true && readdirSync(target).length > 0) return false
    moveOwners(from, target)
    renameSync(from, target)
    return true
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno === 'ENOTEMPTY' || errno === 'EEXIST') return false
    throw storeError(`commit layer ${target}`, cause)
  }
}

/** Moves the folder of a layer, if there is one, to a path where nothing is. */
export function moveAside(folder: string, to: string): void {
  try {
    renameSync(folder, to)
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
  }
}

/** Moves the owners beside a folder, before the folder: without them it would be another layer. */
export function moveOwners(from: string, to: string): void {
  try {
    renameSync(ownersFileOf(from), ownersFileOf(to))
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
    rmSync(ownersFileOf(to), { force: true })
  }
}

/** What is where the folders of a kind are and belongs to no layer. A row comes before its folder: it is read last. */
export function unknownFolders(
  layout: Layout,
  database: Database,
  kind: FolderKind,
): readonly string[] {
  const folders = foldersOf(layout, kind)
  const rows = database.all(ALL_WITH_FOLDER, kind.bit, kind.bit)
  const names = rows.map(({ id, folder }) => String(folder ?? id))
  const known = new Set(names.flatMap((name) => [name, ownersFileOf(name)]))
  return folders.filter((path) => !known.has(basename(path)))
}

/** Everything that is where the folders of a kind are. */
function foldersOf({ root }: Layout, kind: FolderKind): readonly string[] {
  const folder = layersFolder(root, kind)
  const isThere = lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
  return isThere ? readdirSync(folder).map((name) => join(folder, name)) : []
}

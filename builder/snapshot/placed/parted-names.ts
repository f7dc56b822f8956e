import { readlinkSync } from 'node:fs'
import { fileXattrs } from '#builder/layer'
import { fileStatOf, type RootedDirectory } from '#builder/linux'
import { type EntryChange, type Name, parentOf } from '#core'
import type { LockedFiles } from './locked-files.ts'
import { clearFolder } from './placement.ts'

/** A further name of a file that has another one. */
export interface SharedName {
  readonly path: Name
  readonly first: Name
}

/** A root, and how what is locked in it is read. */
interface ReadableRoot {
  readonly root: RootedDirectory
  readonly locked: LockedFiles
}

/**
 * Makes each name a file for itself, as overlayfs does before a change of a file with several names.
 * @param write writes entries into the root
 * @returns all paths whose inodes were changed
 */
export function partNames(
  at: ReadableRoot,
  names: readonly SharedName[],
  write: (entries: readonly EntryChange[]) => void,
): readonly Name[] {
  if (names.length === 0) return []
  const folders = new Set(names.map(({ path }) => parentOf(path)))
  // Made before the names are removed: with the times of now.
  const entries = [...folders].sort().map((path) => entryOf(at, path, path))
  for (const path of folders) clearFolder(at.root, path)
  for (const { path, first } of names) entries.push(entryOf(at, path, first))
  write(entries)
  return [...new Set([...folders, ...names.flatMap(({ path, first }) => [path, first])])]
}

/** `path` as a copy of what is at `source`. */
function entryOf({ root, locked }: ReadableRoot, path: Name, source: Name): EntryChange {
  const place = root.place(source)
  const stats = root.lstat(source)
  if (stats === undefined) throw new Error(`nothing is at ${source}`)
  const stat = fileStatOf(stats, { place })
  const entry = { kind: 'entry', path, stat, xattrs: fileXattrs(place) } as const
  if (stat.type === 'file') {
    return { ...entry, open: () => locked.openFile(source) }
  }
  if (stat.type !== 'symlink') return entry
  return { ...entry, target: readlinkSync(place, 'latin1') as Name }
}

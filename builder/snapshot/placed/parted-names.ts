import { constants, openSync, readlinkSync } from 'node:fs'
import { fileXattrs } from '#builder/layer'
import { fileStatOf, type RootedDirectory } from '#builder/linux'
import type { EntryChange, Name } from '#core'

const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** A further name of a file that has another one. */
export interface SharedName {
  readonly path: Name
  readonly first: Name
}

/**
 * Makes each name a file for itself, as overlayfs does before a change of a file with several names.
 * @param write writes entries into the root
 * @returns all paths whose inodes were changed
 */
export function partNames(
  root: RootedDirectory,
  names: readonly SharedName[],
  write: (entries: readonly EntryChange[]) => void,
): readonly Name[] {
  if (names.length === 0) return []
  const folders = new Set(names.map(({ path }) => folderOf(path)))
  // Made before the names are removed: with the times of now.
  const entries = [...folders].sort().map((path) => entryOf(root, path, path))
  for (const { path, first } of names) entries.push(entryOf(root, path, first))
  write(entries)
  return [...new Set([...folders, ...names.flatMap(({ path, first }) => [path, first])])]
}

function folderOf(path: Name): Name {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0)) as Name
}

/** `path` as a copy of what is at `source`. */
function entryOf(root: RootedDirectory, path: Name, source: Name): EntryChange {
  const place = root.place(source)
  const stats = root.lstat(source)
  if (stats === undefined) throw new Error(`nothing is at ${source}`)
  const entry = { kind: 'entry', path, stat: fileStatOf(stats, { place }) } as const
  switch (entry.stat.type) {
    case 'symlink':
      return { ...entry, target: readlinkSync(place, 'latin1') as Name }
    case 'directory':
      return { ...entry, xattrs: fileXattrs(place) }
    case 'file': {
      const open = () => openSync(root.place(source), OPEN_FILE)
      return { ...entry, xattrs: fileXattrs(place), open }
    }
    default:
      return entry
  }
}

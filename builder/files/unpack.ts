import { joinName, type Name } from '#core'
import type { UnpackedArchive } from './archive.ts'
import { makeDirectories, makeDirectory, type NewDirectory } from './directories.ts'
import type { DraftEntry, OverlayDraft } from './overlay-draft.ts'
import type { Ids } from './owner.ts'

/** What becomes of the entries of an archive. */
export interface MergeOptions {
  readonly created: NewDirectory
  /** Instead of what the archive says. */
  readonly owner: Ids | undefined
}

/**
 * Puts what was in an archive into the directory `destination`, as tar would: whatever is in the
 * way is replaced, links on the way to a file that the archive does not name itself are followed.
 */
export function mergeArchive(
  draft: OverlayDraft,
  { archive, destination }: { readonly archive: UnpackedArchive; readonly destination: Name },
  options: MergeOptions,
): void {
  makeDirectories(draft, destination, options.created)
  mergeDirectories({ draft, archive, options, links: new Map() }, destination)
}

interface Merge {
  readonly draft: OverlayDraft
  readonly archive: UnpackedArchive
  readonly options: MergeOptions
  readonly links: Map<string, symbol>
}

/** Keeps the directories on the way in a list: an archive may be deeper than the call stack. */
function mergeDirectories(merge: Merge, destination: Name): void {
  const { tree } = merge.archive
  const open = (from: Name, to: Name) => ({ from, to, names: tree.readdir(from).values() })
  const stack = [open('' as Name, destination)]
  for (let last = stack.at(-1); last !== undefined; last = stack.at(-1)) {
    const next = last.names.next()
    if (next.done) {
      stack.pop()
      continue
    }
    const path = joinName(last.from, next.value)
    const place = joinName(last.to, next.value)
    if (tree.lstat(path)?.type === 'directory') {
      if (merge.draft.lstat(place) === undefined) touchUnnamed(merge, last.from, last.to)
      stack.push(open(path, placeDirectory(merge, path, place)))
      continue
    }
    const entry = entryOf(merge, path)
    if (entry === undefined) continue
    merge.draft.put(place, entry)
    touchUnnamed(merge, last.from, last.to)
  }
}

/** A directory that the archive names keeps the time that the archive has for it. */
function touchUnnamed({ draft, archive, options }: Merge, from: Name, to: Name): void {
  if (!archive.directories.has(from)) draft.touch(to, options.created.mtimeMs)
}

function placeDirectory({ draft, archive, options }: Merge, path: Name, place: Name): Name {
  const stat = archive.tree.lstat(path)
  if (stat !== undefined && archive.directories.has(path)) {
    draft.put(place, { stat: { ...stat, ...options.owner } })
    return place
  }
  // The way to it is real: all of it again for each folder would take very long in a deep tree.
  if (draft.lstat(place)?.type !== 'symlink') {
    makeDirectory(draft, place, options.created)
    return place
  }
  const followed = draft.resolve(place)
  makeDirectories(draft, followed, options.created)
  return followed
}

function entryOf({ archive, options, links }: Merge, path: Name): DraftEntry | undefined {
  const { tree } = archive
  const found = tree.lstat(path)
  if (found === undefined || found.type === 'socket') return undefined
  const stat = { ...found, ...options.owner }
  if (stat.type === 'symlink') return { stat, target: tree.readlink(path) }
  if (stat.type !== 'file') return { stat }
  const open = () => tree.openFile(path)
  const entry = { stat, open, xattrs: tree.xattrs(path) }
  return stat.nlink > 1 ? { ...entry, link: linkOf(links, stat.inode) } : entry
}

/** One token for each file that has several names. */
export function linkOf(links: Map<string, symbol>, inode: string): symbol {
  const known = links.get(inode)
  if (known !== undefined) return known
  const link = Symbol(inode)
  links.set(inode, link)
  return link
}

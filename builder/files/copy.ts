import { type Digest, type FileStat, joinName, type Name, parentOf, TsbuildError } from '#core'
import type { Chmod } from './chmod.ts'
import { type SourceFile, sourceFile } from './content.ts'
import { describeObstacle } from './copy-errors.ts'
import {
  makeDirectories,
  type NewDirectory,
  prepareDestination,
  refuseDirectory,
} from './directories.ts'
import type { DraftEntry, OverlayDraft } from './overlay-draft.ts'
import type { Ids } from './owner.ts'
import { shown } from './paths.ts'
import { emptyFile, entriesOf, isProgram, type Selected, type SelectedEntry } from './select.ts'
import { linkOf } from './unpack.ts'

/** How entries are changed on their way. */
export interface CopyOptions {
  readonly created: NewDirectory
  readonly owner: Ids | undefined
  readonly chmod: Chmod | undefined
  /** The digest of a file's content, where it is known without reading that. */
  readonly knownDigest?: ((file: SourceFile) => Digest | undefined) | undefined
  /** Called with what each selected entry became; `undefined` for a directory. */
  readonly onCopied: (entry: SelectedEntry, result: DraftEntry | undefined) => void
}

/**
 * Copies one selected thing to a destination: a file to that name or into that directory, the
 * content of a directory into it.
 * @throws {TsbuildError} STEP_FAILED when a file and a directory would take each other's place
 */
export function copySelected(
  draft: OverlayDraft,
  { selected, destination }: { readonly selected: Selected; readonly destination: string },
  options: CopyOptions,
): void {
  const path = placeFor(draft, { selected, destination }, options.created)
  const links = new Map<string, symbol>()
  for (const entry of entriesOf(selected)) {
    const to = entry.name === '' ? path : joinName(path, entry.name)
    const copied = copyEntry(draft, { selected, entry, to, links }, options)
    if (entry.name === '' && copied !== undefined) {
      draft.touch(parentOf(to), options.created.mtimeMs)
    }
    options.onCopied(entry, copied)
  }
}

/**
 * Places a selected directory whose content is copied only while the layer is written: for the last
 * one, so that a tree of any size takes no memory. `undefined` where that cannot be, because something
 * was written there already.
 */
export function placeDeferred(
  draft: OverlayDraft,
  { selected, destination }: { readonly selected: Selected; readonly destination: string },
  options: CopyOptions,
): Name | undefined {
  if (selected.stat.type !== 'directory') return undefined
  const to = placeFor(draft, { selected, destination }, options.created)
  if (!draft.isUntouched(to)) return undefined
  const entry = { path: selected.path, name: '' as Name, stat: selected.stat }
  copyDirectory(draft, { selected, entry, to, links: new Map() }, options)
  return to
}

function placeFor(
  draft: OverlayDraft,
  { selected, destination }: { readonly selected: Selected; readonly destination: string },
  created: NewDirectory,
): Name {
  const path = prepareDestination(draft, destination, created)
  const existing = draft.lstat(path)
  if (selected.stat.type === 'directory') {
    if (existing === undefined) makeDirectories(draft, path, created)
    return path
  }
  const place = existing?.type === 'directory' ? joinName(path, selected.base) : path
  makeDirectories(draft, parentOf(place), created)
  return place
}

/** One entry on its way. */
export interface Step {
  readonly selected: Selected
  readonly entry: SelectedEntry
  readonly to: Name
  /** Names of one file stay one file within what one source path selects. */
  readonly links: Map<string, symbol>
}

function copyEntry(draft: OverlayDraft, step: Step, options: CopyOptions): DraftEntry | undefined {
  if (step.entry.stat.type === 'directory') {
    copyDirectory(draft, step, options)
    return undefined
  }
  refuseDirectory(draft.lstat(step.to), step.to, step.entry.stat)
  const result = entryOf(step, options)
  draft.put(step.to, result)
  return result
}

/** The top directory keeps its own mode and owner: only what is in it is copied. */
function copyDirectory(draft: OverlayDraft, { entry, to }: Step, options: CopyOptions): void {
  const existing = draft.lstat(to)
  refuseFile(draft, { existing, path: to })
  const copied = directoryStatOf(entry, existing, options)
  const isTop = entry.name === '' && existing !== undefined
  draft.put(to, { stat: isTop ? { ...existing, mtimeMs: copied.mtimeMs } : copied })
}

/**
 * What is made only because something below is copied is as new as that; where it is there already, it
 * takes the mode of the source and keeps the rest.
 */
export function directoryStatOf(
  entry: SelectedEntry,
  existing: FileStat | undefined,
  options: CopyOptions,
): FileStat {
  const stat = changedStat(entry.stat, options)
  if (entry.isOnTheWay !== true) return stat
  if (existing !== undefined) return { ...existing, mode: entry.stat.mode }
  return { ...stat, mtimeMs: options.created.mtimeMs }
}

/** @throws {TsbuildError} STEP_FAILED where a directory cannot be */
export function refuseFile(
  draft: OverlayDraft,
  { existing, path }: { readonly existing: FileStat | undefined; readonly path: Name },
): void {
  if (existing === undefined || existing.type === 'directory') return
  throw new TsbuildError(`cannot copy to non-directory: ${shown(path)}`, {
    code: 'STEP_FAILED',
    hint: describeObstacle(draft, path),
  })
}

/** What a file, link or device becomes. */
export function entryOf({ selected, entry, links }: Step, options: CopyOptions): DraftEntry {
  const { tree } = selected
  const { path } = entry
  const isSocket = entry.stat.type === 'socket'
  const stat = changedStat(isSocket ? emptyFile(entry.stat) : entry.stat, options)
  if (isSocket) return { stat, data: new Uint8Array() }
  if (stat.type === 'symlink') return { stat, target: tree.readlink(path) }
  if (stat.type !== 'file') return { stat }
  const xattrs = isProgram(stat) ? tree.xattrs(path) : undefined
  const { knownDigest } = options
  const file = {
    ...{ stat, xattrs, open: () => tree.openFile(path) },
    ...(knownDigest && { knownDigest: () => knownDigest(sourceFile(selected, entry)) }),
  }
  const isLinked = stat.nlink > 1 && entry.name !== ''
  return isLinked ? { ...file, link: linkOf(links, stat.inode) } : file
}

/** What an entry's metadata becomes. */
function changedStat(stat: FileStat, { owner, chmod }: CopyOptions): FileStat {
  if (owner === undefined && chmod === undefined) return stat
  const given = owner === undefined ? {} : { ...owner, isOwnerPresumed: false }
  return { ...stat, ...given, mode: chmod?.apply(stat) ?? stat.mode }
}

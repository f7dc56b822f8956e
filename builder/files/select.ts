import { resolveInTree } from '#builder/layer'
import {
  baseOf,
  type FileStat,
  isReadableTree,
  joinName,
  type Name,
  type NamedStat,
  type Tree,
  textOfName,
} from '#core'
import { pathMatcher } from '#parser'
import type { CopyAction } from './action.ts'
import { describeLinkBeforeParents, describeMismatch, notFoundError } from './copy-errors.ts'
import { type EntryFilter, excludeFilter, parentsFilter } from './filter.ts'
import { belowRoot, componentsOf, shown } from './paths.ts'

/** One thing to copy: a file, or what is in a directory. */
export interface Selected {
  readonly tree: Tree
  /** Links followed. */
  readonly path: Name
  /** The name of a file in a destination directory: as written, not that of a link's target. */
  readonly base: Name
  readonly stat: FileStat
  readonly filter: EntryFilter | undefined
  /** The modes of files are changed, so any of them may become a program. */
  readonly changesModes: boolean
}

/** One entry of a selected directory. */
export interface SelectedEntry {
  /** In the source. */
  readonly path: Name
  /** Relative to what was selected; empty for that itself. */
  readonly name: Name
  readonly stat: FileStat
  /** A directory that is not selected itself, but something below it is. */
  readonly isOnTheWay?: boolean
}

/** What `select` reads from. */
export interface SelectOptions {
  readonly sources: readonly Tree[]
  readonly onWarning?: ((message: string) => void) | undefined
}

const EXECUTABLE = 0o111

/**
 * What a COPY or ADD takes, in the order in which it is copied.
 * @throws {TsbuildError} NOT_FOUND for a path that is not there, up to its first wildcard
 */
export function select(action: CopyAction, options: SelectOptions): readonly Selected[] {
  const tree = options.sources[action.source]
  if (tree === undefined) throw new Error(`no source ${action.source}`)
  const filter = excludeFilter(action.exclude)
  const onNothing = (path: string, why: string): void =>
    options.onWarning?.(`${path} matches nothing: nothing is copied; ${why}`)
  const selected = action.paths.flatMap((path) => {
    if (action.parents) {
      const found = selectWithParents(tree, path, action)
      if (options.onWarning !== undefined && hasWildcard(path) && found.every(isNothing)) {
        onNothing(path, mismatchWithParents(tree, path))
      }
      return found
    }
    const matches = pathsOf(tree, path, action)
    if (matches === undefined) return [selectOne(tree, belowRoot(path), filter)]
    if (matches.length === 0) onNothing(path, describeMismatch(tree, startOf(tree, path)))
    if (filter !== undefined) warnOfExcluded(tree, { path, matches, filter }, options)
    return matches.map((match) => selectOne(tree, match, filter))
  })
  return action.chmod === undefined
    ? selected
    : selected.map((one) => ({ ...one, changesModes: true }))
}

/** How a selection is walked. */
export interface WalkOptions {
  /** Every file is opened before the next entry is asked for. */
  readonly opens?: boolean
}

/** The selected thing itself and what is below it, a directory before its content, names sorted. */
export function* entriesOf(
  selected: Selected,
  options: WalkOptions = {},
): Generator<SelectedEntry> {
  const { path, stat, tree, filter } = selected
  const name = '' as Name
  yield { path, name, stat }
  if (stat.type !== 'directory') return
  // What a filter skips need not be opened.
  const opens = options.opens === true && filter === undefined
  const list = (at: Name): Iterable<NamedStat> =>
    opens && isReadableTree(tree) ? tree.readFiles(at) : contentOf(tree, at)
  yield* entriesBelow({ list, filter }, { path, name, stat })
}

function* contentOf(tree: Tree, directory: Name): Generator<NamedStat> {
  for (const name of tree.readdir(directory)) {
    const stat = tree.lstat(joinName(directory, name))
    // Removed since the directory was listed.
    if (stat !== undefined) yield { name, stat }
  }
}

interface Walk {
  readonly list: (directory: Name) => Iterable<NamedStat>
  readonly filter: EntryFilter | undefined
}

/** A directory on the way down. They are kept in a list: a tree may be deeper than the call stack. */
interface OpenEntry {
  readonly entry: SelectedEntry
  readonly content: Iterator<NamedStat>
}

function* entriesBelow({ list, filter }: Walk, top: SelectedEntry): Generator<SelectedEntry> {
  const open = (entry: SelectedEntry): OpenEntry => {
    return { entry, content: list(entry.path)[Symbol.iterator]() }
  }
  /** Directories on the way down that are copied only once something in them is. */
  const pending: SelectedEntry[] = []
  const stack = [open(top)]
  try {
    for (let last = stack.at(-1); last !== undefined; last = stack.at(-1)) {
      const next = last.content.next()
      if (next.done) {
        stack.pop()
        if (pending.at(-1) === last.entry) pending.pop()
        continue
      }
      const { name: child, stat } = next.value
      const name = joinName(last.entry.name, child)
      const verdict = filter?.(name, stat) ?? 'take'
      if (verdict === 'skip') continue
      const path = joinName(last.entry.path, child)
      const entry = { path, name, stat, isOnTheWay: verdict === 'look' }
      if (verdict === 'look') pending.push(entry)
      else {
        yield* pending.splice(0)
        yield entry
      }
      if (stat.type === 'directory') stack.push(open(entry))
      else if (pending.at(-1) === entry) pending.pop()
    }
  } finally {
    for (const { content } of stack) content.return?.()
  }
}

/** What a socket becomes: no copy of it leads to the process that listens. */
export function emptyFile(stat: FileStat): FileStat {
  return { ...stat, type: 'file', size: 0 }
}

/** Whether the attributes of a regular file count: only a program's capability means anything. */
export function isProgram({ mode }: FileStat): boolean {
  return (mode & EXECUTABLE) !== 0
}

function selectOne(tree: Tree, written: Name, filter: EntryFilter | undefined): Selected {
  const path = resolveInTree(tree, written, { followLast: true })
  const stat = tree.lstat(path)
  if (stat === undefined) throw notFoundError(tree, written)
  return { tree, path, base: baseOf(written), stat, filter, changesModes: false }
}

/**
 * `--parents`: the directories that what is before the first `/./` names, or the root, and of each
 * only what the rest matches.
 */
function selectWithParents(tree: Tree, written: string, action: CopyAction): readonly Selected[] {
  const [pivot = '', ...rest] = written.split('/./')
  const hasPivot = rest.length > 0
  const pattern = belowRoot(hasPivot ? rest.join('/') : written)
  const filter = parentsFilter(textOfName(pattern), action)
  const matches = hasPivot ? pathsOf(tree, pivot, action) : undefined
  if (matches !== undefined) return matches.map((match) => selectOne(tree, match, filter))
  const top = hasPivot ? belowRoot(pivot) : ('' as Name)
  const selected = selectOne(tree, top, filter)
  const isPattern = action.wildcards && hasWildcard(textOfName(pattern))
  const path = joinName(selected.path, pattern)
  if (!isPattern && tree.lstat(path) === undefined) {
    throw notFoundError(tree, joinName(top, pattern), describeLinkBeforeParents(tree, path))
  }
  return [selected]
}

/** Whether a filter lets nothing pass but the directory itself; a walk ends at the first that does. */
function isNothing(selected: Selected): boolean {
  const entries = entriesOf(selected)
  entries.next()
  return entries.next().done === true
}

/** Before the pivot links are followed, behind it they are not. */
function mismatchWithParents(tree: Tree, written: string): string {
  const [pivot = '', ...rest] = written.split('/./')
  const hasPivot = rest.length > 0
  if (hasPivot && hasWildcard(pivot)) return describeMismatch(tree, startOf(tree, pivot))
  const top = hasPivot ? startOf(tree, pivot) : ('' as Name)
  const start = joinName(top, prefixOf(hasPivot ? rest.join('/') : written))
  return describeLinkBeforeParents(tree, start) ?? describeMismatch(tree, start)
}

/** The part of a path before the first component that has a wildcard. */
function prefixOf(path: string): Name {
  const names = componentsOf(belowRoot(path))
  const first = names.findIndex((name) => hasWildcard(textOfName(name)))
  return names.slice(0, first < 0 ? names.length : first).join('/') as Name
}

/** The directory in which matches of a path are looked for. */
function startOf(tree: Tree, path: string): Name {
  return resolveInTree(tree, prefixOf(path), { followLast: true })
}

/**
 * `undefined` when `path` has no wildcards. `--exclude` leaves out what is below a match, never the
 * match itself.
 * @throws {TsbuildError} NOT_FOUND where what stands before them is not there, DOCKERFILE_INVALID
 */
function pathsOf(tree: Tree, path: string, action: CopyAction): readonly Name[] | undefined {
  if (!action.wildcards || !hasWildcard(path)) return undefined
  const names = componentsOf(belowRoot(path))
  const first = names.findIndex((name) => hasWildcard(textOfName(name)))
  if (first < 0) return undefined
  const prefix = prefixOf(path)
  const start = startOf(tree, path)
  const patterns = names.slice(first).map((name) => pathMatcher(textOfName(name)))
  const stat = tree.lstat(start)
  if (stat === undefined) throw notFoundError(tree, prefix)
  if (stat.type !== 'directory') return []
  return matchesBelow(tree, start, patterns)
}

interface Matched {
  readonly path: string
  readonly matches: readonly Name[]
  readonly filter: EntryFilter
}

/** Patterns of `--exclude` count below what a source names: a match that they name is copied. */
function warnOfExcluded(
  tree: Tree,
  { path, matches, filter }: Matched,
  { onWarning }: SelectOptions,
): void {
  if (onWarning === undefined) return
  const excluded = matches.filter((match) => {
    const stat = tree.lstat(match)
    return stat !== undefined && filter(baseOf(match), stat) === 'skip'
  })
  const [first] = excluded
  if (first === undefined) return
  const more = excluded.length > 1 ? ` and ${excluded.length - 1} more are` : ' is'
  const why = `${path} names it, and --exclude counts below what a source names`
  onWarning(`${shown(first)}${more} copied: ${why}`)
}

function matchesBelow(
  tree: Tree,
  directory: Name,
  [isMatch = () => false, ...rest]: readonly ((name: string) => boolean)[],
): Name[] {
  const names = tree.readdir(directory).filter((name) => isMatch(textOfName(name)))
  const paths = names.map((name) => joinName(directory, name))
  if (rest.length === 0) return paths
  const directories = paths.filter((path) => tree.lstat(path)?.type === 'directory')
  return directories.flatMap((path) => matchesBelow(tree, path, rest))
}

/** Whether a path holds `*`, `?` or `[` that no backslash takes the meaning of. */
function hasWildcard(path: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/su.test(path)
}

import { resolveInTree } from '#builder/layer'
import {
  type FileStat,
  isReadableTree,
  joinName,
  type Name,
  type NamedStat,
  nameOf,
  suggestion,
  type Tree,
  TsbuildError,
  textOfName,
} from '#core'
import { pathMatcher } from '#parser'
import type { CopyAction } from './action.ts'
import { type EntryFilter, excludeFilter, parentsFilter } from './filter.ts'
import { baseOf, belowRoot, componentsOf, parentOf, shown } from './paths.ts'

/** One thing to copy: a file, or what is in a directory. */
export interface Selected {
  readonly tree: Tree
  /** Links followed. */
  readonly path: Name
  /** The name that a file keeps in a destination directory: as written, not that of a link's target. */
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
}

export interface SelectOptions {
  readonly sources: readonly Tree[]
  readonly onWarning?: ((message: string) => void) | undefined
}

const MAX_NAMES_IN_HINT = 10
const EXECUTABLE = 0o111

/**
 * What a COPY or ADD takes, in the order in which it is copied.
 * @throws {TsbuildError} NOT_FOUND for a path that is not there, up to its first wildcard
 */
export function select(action: CopyAction, options: SelectOptions): readonly Selected[] {
  const tree = options.sources[action.source]
  if (tree === undefined) throw new Error(`no source ${action.source}`)
  const filter = excludeFilter(action.exclude)
  const selected = action.paths.flatMap((path) => {
    if (action.parents) return selectWithParents(tree, path, action)
    const matches = pathsOf(tree, path, { action, filter })
    if (matches === undefined) return [selectOne(tree, belowRoot(path), filter)]
    if (matches.length === 0) options.onWarning?.(`${path} matches nothing: nothing is copied`)
    return matches.map((match) => selectOne(tree, match, filter))
  })
  return action.chmod === undefined
    ? selected
    : selected.map((one) => ({ ...one, changesModes: true }))
}

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
  // What a filter skips would be opened for nothing.
  const opens = options.opens === true && filter === undefined
  const list = (at: Name): Iterable<NamedStat> =>
    opens && isReadableTree(tree) ? tree.readFiles(at) : contentOf(tree, at)
  yield* entriesBelow({ list, filter }, { path, name, stat })
}

function* contentOf(tree: Tree, directory: Name): Generator<NamedStat> {
  for (const name of tree.readdir(directory)) {
    const stat = tree.lstat(joinName(directory, name))
    // Gone since the directory was listed.
    if (stat !== undefined) yield { name, stat }
  }
}

interface Walk {
  readonly list: (directory: Name) => Iterable<NamedStat>
  readonly filter: EntryFilter | undefined
}

/** A directory on the way down; a list of them, because a tree may be deeper than the call stack. */
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
  const way = [open(top)]
  try {
    for (let last = way.at(-1); last !== undefined; last = way.at(-1)) {
      const next = last.content.next()
      if (next.done) {
        way.pop()
        if (pending.at(-1) === last.entry) pending.pop()
        continue
      }
      const { name: child, stat } = next.value
      const name = joinName(last.entry.name, child)
      const verdict = filter?.(name, stat) ?? 'take'
      if (verdict === 'skip') continue
      const entry = { path: joinName(last.entry.path, child), name, stat }
      if (verdict === 'look') pending.push(entry)
      else {
        yield* pending.splice(0)
        yield entry
      }
      if (stat.type === 'directory') way.push(open(entry))
      else if (pending.at(-1) === entry) pending.pop()
    }
  } finally {
    for (const { content } of way) content.return?.()
  }
}

/** Whether the attributes of a regular file count: only a program's capability means anything. */
export function isProgram({ mode }: FileStat): boolean {
  return (mode & EXECUTABLE) !== 0
}

function selectOne(tree: Tree, written: Name, filter: EntryFilter | undefined): Selected {
  const path = resolveInTree(tree, written, { followLast: true })
  const stat = tree.lstat(path)
  if (stat === undefined) throw notFound(tree, written)
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
  const matches = hasPivot ? pathsOf(tree, pivot, { action, filter: undefined }) : undefined
  if (matches !== undefined) return matches.map((match) => selectOne(tree, match, filter))
  const top = hasPivot ? belowRoot(pivot) : ('' as Name)
  const selected = selectOne(tree, top, filter)
  const isPattern = action.wildcards && hasWildcard(textOfName(pattern))
  const path = joinName(selected.path, pattern)
  if (!isPattern && tree.lstat(path) === undefined) throw notFound(tree, joinName(top, pattern))
  return [selected]
}

/**
 * `undefined` when `path` has no wildcards. What is excluded is no match.
 * @throws {TsbuildError} NOT_FOUND where what stands before them is not there, DOCKERFILE_INVALID
 */
function pathsOf(
  tree: Tree,
  path: string,
  { action, filter }: { readonly action: CopyAction; readonly filter: EntryFilter | undefined },
): readonly Name[] | undefined {
  if (!action.wildcards || !hasWildcard(path)) return undefined
  const names = componentsOf(belowRoot(path))
  const first = names.findIndex((name) => hasWildcard(textOfName(name)))
  if (first < 0) return undefined
  const prefix = names.slice(0, first).join('/') as Name
  const start = resolveInTree(tree, prefix, { followLast: true })
  const patterns = names.slice(first).map((name) => pathMatcher(textOfName(name)))
  const stat = tree.lstat(start)
  if (stat === undefined) throw notFound(tree, prefix)
  if (stat.type !== 'directory') return []
  const matches = matchesBelow(tree, start, patterns)
  if (filter === undefined) return matches
  return matches.filter((match) => {
    const stat = tree.lstat(match)
    const name = match.slice(start === '' ? 0 : start.length + 1) as Name
    return stat !== undefined && filter(name, stat) !== 'skip'
  })
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

function notFound(tree: Tree, path: Name): TsbuildError {
  return new TsbuildError(`${JSON.stringify(shown(path))}: not found`, {
    code: 'NOT_FOUND',
    hint: hintFor(tree, path),
  })
}

function hintFor(tree: Tree, path: Name): string {
  const advice =
    'paths are relative to the build context, where .dockerignore may exclude it, or to the root of the stage'
  const parent = parentOf(path)
  const directory = resolveInTree(tree, parent, { followLast: true })
  if (tree.lstat(directory)?.type !== 'directory') return `there is no ${shown(parent)}; ${advice}`
  const names = tree.readdir(directory).map(textOfName)
  const similar = suggestion(textOfName(baseOf(path)), names)
  if (similar !== undefined) return `did you mean ${shown(joinName(parent, nameOf(similar)))}?`
  const some = names.slice(0, MAX_NAMES_IN_HINT).join(', ')
  const more = names.length > MAX_NAMES_IN_HINT ? ', …' : ''
  return names.length === 0
    ? `${shown(parent)} is empty; ${advice}`
    : `in ${shown(parent)} there is: ${some}${more}; ${advice}`
}

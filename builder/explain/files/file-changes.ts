import { type Name, textOfName } from '#core'
import type { FileChange, FileChanges, FileDetail } from '../report/explanation.ts'
import type { LayerListing, ListedFile } from './layer-listing.ts'

/** What of a file was to be changed by the step itself, and is no news of its source. */
export interface ChangedByStep {
  readonly owner: boolean
  readonly mode: boolean
}

/** How changes are shown. */
export interface ShownChanges {
  /** The path as a person knows it; `undefined` for what the step has made and not copied. */
  readonly shownPath: (path: string) => string | undefined
  readonly byStep: ChangedByStep
}

/** More changes than this are counted and not listed. */
const MOST_LISTED = 200
/** Of more files than this the contents are not read to find out which were renamed. */
const MOST_RENAMED = 1000

type Files = LayerListing['files']

/** The files in which two layers differ, by path. Times do not count, as they do in no key. */
export function fileChanges(from: Files, to: Files, shown: ShownChanges): FileChanges {
  const added = [...to.keys()].filter((path) => !from.has(path))
  const removed = [...from.keys()].filter((path) => !to.has(path))
  const renamed = renamedFiles({ added, removed }, from, to)
  const changes = new Map<Name, FileChange>()
  const put = (path: Name, change: Omit<FileChange, 'path'>): void => {
    const text = shown.shownPath(textOfName(path))
    if (text !== undefined) changes.set(path, { path: text, ...change })
  }
  for (const path of added) {
    const before = renamed.get(path)
    const name = before && (shown.shownPath(textOfName(before)) ?? textOfName(before))
    if (name === undefined) put(path, { change: 'added', details: [] })
    else put(path, { change: 'renamed', from: name, details: [] })
  }
  const sources = new Set(renamed.values())
  for (const path of removed) {
    if (!sources.has(path)) put(path, { change: 'removed', details: [] })
  }
  for (const [path, file] of from) {
    const other = to.get(path)
    const details = other === undefined ? [] : detailsOf(file, other, shown.byStep)
    if (details.length > 0) put(path, { change: 'changed', details })
  }
  const typeOf = (path: Name): string | undefined => (to.get(path) ?? from.get(path))?.type
  const listed = withoutParents(changes, parentsOf([...changes.keys(), ...sources]), typeOf)
  return { count: listed.length, listed: listed.slice(0, MOST_LISTED) }
}

/** A folder that came or went with what is in it is not named apart. */
function withoutParents(
  changes: ReadonlyMap<Name, FileChange>,
  parents: ReadonlySet<string>,
  typeOf: (path: Name) => string | undefined,
): readonly FileChange[] {
  const kept = [...changes].filter(([path, { change }]) => {
    return change === 'changed' || typeOf(path) !== 'directory' || !parents.has(path)
  })
  return kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change)
}

function parentsOf(paths: readonly Name[]): ReadonlySet<string> {
  const parents = new Set<string>()
  for (const path of paths) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      parents.add(path.slice(0, end))
    }
  }
  return parents
}

/** New files with the content of one that is gone, and where that was. */
function renamedFiles(
  { added, removed }: { readonly added: readonly Name[]; readonly removed: readonly Name[] },
  from: Files,
  to: Files,
): ReadonlyMap<Name, Name> {
  // Looking for the partners of many files would read all of them.
  if (added.length > MOST_RENAMED || removed.length > MOST_RENAMED) return new Map()
  const gone = new Map<string, Name>()
  const sizes = new Set(added.map((path) => to.get(path)?.size))
  for (const path of removed) {
    const file = from.get(path)
    const digest = file && file.size > 0 && sizes.has(file.size) ? file.digest() : undefined
    if (digest !== undefined && !gone.has(digest)) gone.set(digest, path)
  }
  const renamed = new Map<Name, Name>()
  for (const path of added) {
    const digest = gone.size > 0 ? to.get(path)?.digest() : undefined
    const before = digest && gone.get(digest)
    if (digest === undefined || before === undefined) continue
    gone.delete(digest)
    renamed.set(path, before)
  }
  return renamed
}

function detailsOf(from: ListedFile, to: ListedFile, byStep: ChangedByStep): readonly FileDetail[] {
  if (from.inode !== undefined && from.inode === to.inode) return []
  if (from.type !== to.type) return [{ what: 'type', from: from.type, to: to.type }]
  const details: FileDetail[] = []
  const compare = (what: FileDetail['what'], before: string, after: string): void => {
    if (before !== after) details.push({ what, from: before, to: after })
  }
  if (from.size !== to.size || from.digest() !== to.digest()) details.push({ what: 'content' })
  compare('target', textOf(from.target), textOf(to.target))
  // A link has no mode of its own.
  if (from.type !== 'symlink' && !byStep.mode) compare('mode', modeOf(from), modeOf(to))
  if (!byStep.owner) compare('owner', `${from.uid}:${from.gid}`, `${to.uid}:${to.gid}`)
  compare('device', `${from.major}:${from.minor}`, `${to.major}:${to.minor}`)
  compare('capability', capabilityOf(from), capabilityOf(to))
  return details
}

function textOf(target: Name | undefined): string {
  return target === undefined ? '' : textOfName(target)
}

function modeOf({ mode }: ListedFile): string {
  return mode.toString(8).padStart(4, '0')
}

function capabilityOf({ capability }: ListedFile): string {
  return capability?.toString('hex') ?? ''
}

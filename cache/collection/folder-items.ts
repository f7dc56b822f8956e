import { lstatSync, type Stats } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isJsonObject } from '#core'
import { readTreeOfDigests } from '../digests/digest-file.ts'
import { namesIn, statOf } from '../filesystem/best-effort.ts'
import { tryLock } from '../filesystem/file-lock.ts'
import { FOLDER_KINDS } from '../filesystem/folder-kind.ts'
import { type Layout, layersFolder, readIfThere } from '../filesystem/layout.ts'
import { parseJson } from './documents.ts'
import { type FoundItem, filesOnly, type ItemType } from './store-item.ts'

/** Each instance of each cache mount. */
export function mountItems({ mounts }: Layout): readonly FoundItem[] {
  return entriesOf(mounts).flatMap(({ path, stat }) => {
    if (!stat.isDirectory()) return []
    const about = join(path, 'about.json')
    const used = statOf(about) ?? stat
    const lock = `${path}.lock`
    const label = labelOf(readIfThere(about))
    const description = label === '' ? 'cache mount' : `cache mount ${label}`
    return [
      {
        ...folderItem({ path, stat: used }, 'exec.cachemount', description),
        label,
        isMutable: true,
        isInUse: isLocked(lock),
        contents: { ...filesOnly([path]), lock },
      },
    ]
  })
}

/** What a writer of digests has not finished after this long, it never will; milliseconds. */
const STALE = 60 * 60 * 1000

/** The digests of the files of each folder that was a context. */
export function digestItems({ digests }: Layout): readonly FoundItem[] {
  const entries = entriesOf(digests).filter(
    ({ path, stat }) => !basename(path).includes('.') || Date.now() - stat.mtimeMs > STALE,
  )
  return entries.map((entry) => {
    const tree = readTreeOfDigests(entry.path)
    const isGone = tree !== undefined && statOf(tree) === undefined
    const what = tree === undefined ? 'digests of a context' : `digests of ${tree}`
    const item = folderItem(entry, 'source.local', isGone ? `${what}, which is gone` : what)
    return { ...item, isMutable: true }
  })
}

/** What is noted of the tars of copies whose layers are gone, and what contexts were like that were copied. */
export function contentsItems(
  { contents }: Layout,
  isKnown: (path: string) => boolean,
): readonly FoundItem[] {
  return entriesOf(contents, (path) => !isKnown(path)).map((entry) => {
    const isState = entry.path.endsWith('.state')
    const what = isState ? 'what a context was like' : 'contents of a copy'
    const item = folderItem(entry, 'source.local', what)
    return { ...item, id: `contents-${item.id}` }
  })
}

/** What failed steps have left; worth nothing but to a person who looks into it. */
export function keptItems(
  { kept }: Layout,
  isPinned: (name: string) => boolean,
): readonly FoundItem[] {
  return entriesOf(kept).map((entry) => {
    const item = folderItem(entry, 'regular', 'what a failed step has left')
    return { ...item, seconds: 0, isInUse: isPinned(basename(entry.path)) }
  })
}

/** Of a build: what its steps printed is small, and no build gives it again. */
const BUILD_SECONDS = 10

/** What builds did, and what their steps printed. */
export function buildItems(
  { builds }: Layout,
  isAlive: (id: string) => boolean,
): readonly FoundItem[] {
  return entriesOf(builds).map((entry) => {
    const item = folderItem(entry, 'regular', 'what a build printed')
    return {
      ...item,
      id: `build-${item.id}`,
      seconds: BUILD_SECONDS,
      isMutable: true,
      isInUse: isAlive(item.id),
    }
  })
}

/** What was found damaged and set aside. */
export function damagedItems({ corrupt }: Layout): readonly FoundItem[] {
  return entriesOf(corrupt).map((entry) =>
    folderItem(entry, 'internal', `damaged: ${basename(entry.path)}`),
  )
}

/** Folders where those of layers are that no layer has: of processes that ended. */
export function leftoverItems(
  { root }: Layout,
  { isKnown, isPinned }: Record<'isKnown' | 'isPinned', (name: string) => boolean>,
): readonly FoundItem[] {
  const folders = FOLDER_KINDS.map((kind) => layersFolder(root, kind))
  const unknown = folders.flatMap((folder) => entriesOf(folder, (path) => !isKnown(path)))
  return unknown.map((entry) => {
    const item = folderItem(entry, 'regular', 'left by a build that ended')
    return { ...item, isInUse: isPinned(basename(entry.path).replace(/\..*/, '')) }
  })
}

/** Parts of blobs that are there as they are, too. */
export function joinedItems({ parts, blobs }: Layout): readonly FoundItem[] {
  const isJoined = (path: string): boolean => statOf(join(blobs, basename(path))) !== undefined
  return entriesOf(parts, isJoined).map((entry) => {
    const item = folderItem(entry, 'regular', 'parts of a blob that is whole')
    return { ...item, id: `parts-${item.id}` }
  })
}

/** What is being written, and what the store itself consists of. */
export function storeItems(layout: Layout): readonly FoundItem[] {
  const { root, blobs, mounts, corrupt, digests, contents, temporary } = layout
  const { parts, builds, kept } = layout
  const kinds = FOLDER_KINDS.map((kind) => layersFolder(root, kind))
  const own = [root, dirname(blobs), blobs, parts, mounts, corrupt, digests, contents]
  const folders = [...own, builds, kept, ...kinds]
  const files = entriesOf(root).filter(({ stat }) => stat.isFile())
  const whole = { path: root, stat: lstatSync(root) }
  return [
    {
      ...folderItem(whole, 'internal', 'database and names'),
      ...{ id: 'store', isFixed: true, contents: filesOnly(files.map(({ path }) => path)) },
      bytes: folders.reduce((sum, path) => sum + (statOf(path)?.blocks ?? 0) * 512, 0),
    },
    {
      ...folderItem({ ...whole, path: temporary }, 'internal', 'what is being written'),
      ...{ id: 'tmp', isFixed: true },
    },
  ]
}

interface Entry {
  readonly path: string
  readonly stat: Stats
}

function folderItem({ path, stat }: Entry, type: ItemType, description: string): FoundItem {
  return {
    ...{
      id: basename(path),
      type,
      description,
      label: '',
      bytes: 0,
      seconds: undefined,
      images: [],
    },
    ...{ createdAt: stat.birthtimeMs || stat.ctimeMs, lastUsedAt: stat.mtimeMs },
    ...{ isMutable: false, isInUse: false, isFixed: false, children: [] },
    contents: filesOnly([path]),
  }
}

function entriesOf(
  folder: string,
  isWanted: (path: string) => boolean = () => true,
): readonly Entry[] {
  return namesIn(folder).flatMap((name) => {
    const path = join(folder, name)
    if (!isWanted(path)) return []
    const stat = statOf(path)
    return stat === undefined ? [] : [{ path, stat }]
  })
}

/** False without a file: whoever has the mount locks it. */
function isLocked(path: string): boolean {
  if (statOf(path) === undefined) return false
  using lock = tryLock(path)
  return lock === undefined
}

/** What the Dockerfile calls it, as its document says. */
function labelOf(text: string | undefined): string {
  const about = text === undefined ? undefined : parseJson(text)
  return isJsonObject(about) && typeof about.id === 'string' ? about.id : ''
}

import { constants, openSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { fileXattrs } from '#builder/layer'
import { fileStatOf, type RootedDirectory } from '#builder/linux'
import { type Change, checkpoint, type EntryChange, joinName, type Name } from '#core'
import type { FileIndex, Folder } from './file-index.ts'
import { type Kept, keptWhole } from './kept-paths.ts'
import type { SharedName } from './parted-names.ts'

const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** A directory that is being walked. */
interface Frame {
  readonly path: Name
  readonly stats: Stats
  readonly names: IterableIterator<Name>
  /** What was known of it; what is found is written to it. */
  readonly folder: Folder
  readonly kept: Kept | undefined
  isYielded: boolean
}

/**
 * Compares a root with an index of what was placed there, yields the differences as an overlay's upper
 * directory has them, and makes the index that of what was found.
 */
export class FoundChanges {
  /** Names of files that have several, without the first one. */
  readonly sharedNames: SharedName[] = []
  readonly #root: RootedDirectory
  readonly #index: FileIndex
  readonly #links = new Map<string, Name>()
  readonly #frames: Frame[] = []

  constructor(root: RootedDirectory, index: FileIndex) {
    this.#root = root
    this.#index = index
  }

  /** The root comes first, always. */
  *changes(shown: Folder, kept: Kept): Generator<Change> {
    const root = '' as Name
    const stats = this.#root.lstat(root)
    if (stats === undefined) throw new Error('a root that is not there')
    yield this.#entry(root, stats)
    this.#index.set(shown.row, stats)
    yield* this.#enter({ path: root, stats, folder: shown, kept, isYielded: true })
    for (let top = this.#frames.at(-1); top !== undefined; top = this.#frames.at(-1)) {
      const next = top.names.next()
      if (next.done) this.#frames.pop()
      else yield* this.#compare(top, next.value)
    }
  }

  *#enter(frame: Omit<Frame, 'names'>): Generator<Change> {
    checkpoint()
    const { path, folder, kept } = frame
    const names = readdirSync(this.#root.inside(path), 'latin1').sort() as Name[]
    this.#frames.push({ ...frame, names: names.values() })
    if (folder.entries.size === 0) return
    const found = new Set(names)
    for (const [name, entry] of folder.entries) {
      if (found.has(name) || kept?.get(name) === keptWhole) continue
      this.#index.delete(entry)
      folder.entries.delete(name)
      yield* this.#withParents({ kind: 'whiteout', path: joinName(path, name) })
    }
  }

  *#compare({ path: parent, folder, kept }: Frame, name: Name): Generator<Change> {
    const keptBelow = kept?.get(name)
    if (keptBelow === keptWhole) return
    const path = joinName(parent, name)
    const stats = this.#root.lstat(path)
    // A socket is in no layer, and in its place is what was there before.
    if (stats === undefined || stats.isSocket()) return
    const known = folder.entries.get(name)
    if (stats.isDirectory()) {
      yield* this.#compareDirectory({ path, stats, kept: keptBelow }, { folder, name, known })
    } else if (typeof known !== 'number') {
      if (known !== undefined) this.#index.delete(known)
      folder.entries.set(name, this.#index.add(stats))
      yield* this.#withParents(this.#entry(path, stats))
    } else if (!this.#index.isUntouched(known, stats)) {
      this.#index.set(known, stats)
      yield* this.#withParents(this.#entry(path, stats))
    }
  }

  *#compareDirectory(
    found: Pick<Frame, 'path' | 'stats' | 'kept'>,
    { folder, name, known }: { folder: Folder; name: Name; known: number | Folder | undefined },
  ): Generator<Change> {
    const { path, stats } = found
    const index = this.#index
    if (typeof known === 'object' && index.isSame(known.row, stats)) {
      const isYielded = !index.isUntouched(known.row, stats)
      if (isYielded) yield* this.#withParents(this.#entry(path, stats))
      index.set(known.row, stats)
      yield* this.#enter({ ...found, folder: known, isYielded })
      return
    }
    if (known !== undefined) index.delete(known)
    const fresh: Folder = { row: index.add(stats), entries: new Map() }
    folder.entries.set(name, fresh)
    yield* this.#withParents(this.#entry(path, stats))
    if (typeof known === 'object') yield { kind: 'opaque', path }
    yield* this.#enter({ ...found, folder: fresh, isYielded: true })
  }

  /** Yields a change after the directories that contain it. */
  *#withParents(change: Change): Generator<Change> {
    const frames = this.#frames
    let first = frames.length
    while (frames[first - 1]?.isYielded === false) first -= 1
    for (const frame of frames.slice(first)) {
      frame.isYielded = true
      yield this.#entry(frame.path, frame.stats)
    }
    yield change
  }

  #entry(path: Name, stats: Stats): EntryChange {
    const place = this.#root.place(path)
    const stat = fileStatOf(stats, { place })
    if (stat.type !== 'directory' && stat.nlink > 1) {
      const first = this.#links.get(stat.inode)
      if (first !== undefined) {
        this.sharedNames.push({ path, first })
        return { kind: 'entry', path, stat, hardlink: first }
      }
      this.#links.set(stat.inode, path)
    }
    const entry = { kind: 'entry', path, stat, xattrs: fileXattrs(place) } as const
    if (stat.type === 'file') {
      return { ...entry, open: () => openSync(this.#root.place(path), OPEN_FILE) }
    }
    if (stat.type !== 'symlink') return entry
    return { ...entry, target: readlinkSync(place, 'latin1') as Name }
  }
}

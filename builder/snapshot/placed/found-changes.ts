import { constants, lstatSync, openSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { fileXattrs } from '#builder/layer'
import { childPath, fileStatOf, type RootedDirectory } from '#builder/linux'
import { type Change, checkpoint, type EntryChange, joinName, type Name } from '#core'
import type { FileIndex, Folder } from './file-index.ts'
import { type Kept, keptWhole } from './kept-paths.ts'
import type { SharedName } from './parted-names.ts'

const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const IF_THERE = { throwIfNoEntry: false } as const

/** A directory that is being walked. */
interface Frame {
  readonly path: Name
  readonly stats: Stats
  readonly names: readonly Name[]
  /** The next one of the names. */
  next: number
  /** What was known of it; what is found is written to it. */
  readonly folder: Folder
  readonly kept: Kept | undefined
  isYielded: boolean
}

/** What is found of a directory, before it is walked. */
type FoundFolder = Omit<Frame, 'names' | 'next'>

/** A name that is not what was known of it. */
interface Difference {
  readonly name: Name
  readonly stats: Stats
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
      const difference = this.#nextDifference(top)
      if (difference === undefined) this.#frames.pop()
      else yield* this.#take(top, difference)
    }
  }

  *#enter(found: FoundFolder): Generator<Change> {
    checkpoint()
    const { path, folder, kept } = found
    const names = readdirSync(this.#root.inside(path), 'latin1') as Name[]
    this.#frames.push({ ...found, names, next: 0 })
    if (folder.entries.size === 0) return
    const there = new Set(names)
    for (const [name, entry] of folder.entries) {
      if (there.has(name) || kept?.get(name) === keptWhole) continue
      this.#index.delete(entry)
      folder.entries.delete(name)
      yield* this.#withParents({ kind: 'whiteout', path: joinName(path, name) })
    }
  }

  /** Most files are untouched, and this is all that is done for one. */
  #nextDifference(frame: Frame): Difference | undefined {
    const { path, names, folder, kept } = frame
    const index = this.#index
    const directory = this.#root.directory(path)
    if (directory === undefined) throw new Error(`${path} is not a directory any more`)
    while (frame.next < names.length) {
      const name = names[frame.next++] as Name
      if (kept?.get(name) === keptWhole) continue
      const stats = lstatSync(childPath(directory, name), IF_THERE)
      // A socket is in no layer, and in its place is what was there before.
      if (stats === undefined || stats.isSocket() || isWhiteout(stats)) continue
      const known = folder.entries.get(name)
      if (typeof known !== 'number' || !index.isUntouched(known, stats)) return { name, stats }
    }
    return undefined
  }

  *#take({ path: parent, folder, kept }: Frame, { name, stats }: Difference): Generator<Change> {
    const path = joinName(parent, name)
    const known = folder.entries.get(name)
    if (!stats.isDirectory()) {
      if (typeof known === 'number') this.#index.set(known, stats)
      else {
        if (known !== undefined) this.#index.delete(known)
        folder.entries.set(name, this.#index.add(stats))
      }
      yield* this.#withParents(this.#entry(path, stats))
      return
    }
    const found = { path, stats, kept: kept?.get(name) }
    if (typeof known === 'object' && this.#index.isSame(known.row, stats)) {
      yield* this.#takeKnown(found, known)
      return
    }
    if (known !== undefined) this.#index.delete(known)
    const fresh: Folder = { row: this.#index.add(stats), entries: new Map() }
    folder.entries.set(name, fresh)
    yield* this.#withParents(this.#entry(path, stats))
    if (typeof known === 'object') yield { kind: 'opaque', path }
    yield* this.#enter({ ...found, folder: fresh, isYielded: true })
  }

  *#takeKnown(found: Pick<Frame, 'path' | 'stats' | 'kept'>, folder: Folder): Generator<Change> {
    const { path, stats } = found
    const isYielded = !this.#index.isUntouched(folder.row, stats)
    if (isYielded) {
      this.#index.set(folder.row, stats)
      yield* this.#withParents(this.#entry(path, stats))
    }
    yield* this.#enter({ ...found, folder, isYielded })
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

/** Overlayfs lets no program make one. */
function isWhiteout(stats: Stats): boolean {
  return stats.rdev === 0 && stats.isCharacterDevice()
}

import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { fileXattrs } from '#builder/layer'
import { FileFacts, fileStatOf, type RootedDirectory } from '#builder/linux'
import { type Change, checkpoint, type EntryChange, joinName, type Name } from '#core'
import type { FileIndex, Folder } from './file-index.ts'
import { type Kept, keptWhole } from './kept-paths.ts'
import type { LockedFiles } from './locked-files.ts'
import type { SharedName } from './parted-names.ts'

/** The root is walked in any case. */
const OWNER_MAY = 0o700

/** A directory that is being walked. */
interface Frame {
  readonly path: Name
  readonly names: readonly Name[]
  /** The next one of the names. */
  next: number
  /** How many of the names that were known are still to be found. */
  missing: number
  /** What was known of it; what is found is written to it. */
  readonly folder: Folder
  readonly kept: Kept | undefined
  isYielded: boolean
}

/** What is found of a directory, before it is walked. */
type FoundFolder = Omit<Frame, 'names' | 'next' | 'missing'> & {
  readonly mode: number
  /** It has the times that were known, so nothing has got or lost a name in it. */
  readonly hasKnownNames: boolean
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
  readonly #locked: LockedFiles
  readonly #links = new Map<string, Name>()
  readonly #frames: Frame[] = []
  /** Of the name at hand. */
  readonly #facts = new FileFacts()

  constructor(root: RootedDirectory, index: FileIndex, locked: LockedFiles) {
    this.#root = root
    this.#index = index
    this.#locked = locked
  }

  /** The root comes first, always. */
  *changes(shown: Folder, kept: Kept): Generator<Change> {
    const path = '' as Name
    yield this.#entry(path)
    const root = { path, folder: shown, kept, mode: OWNER_MAY }
    this.#enter({ ...root, isYielded: true, hasKnownNames: false })
    for (let top = this.#frames.at(-1); top !== undefined; top = this.#frames.at(-1)) {
      const name = this.#nextDifference(top)
      if (name === undefined) yield* this.#leave(top)
      else yield* this.#take(top, name)
    }
  }

  #enter(found: FoundFolder): void {
    checkpoint()
    const { path, folder, mode, hasKnownNames } = found
    this.#locked.unlock(path, mode)
    const names = hasKnownNames
      ? [...folder.entries.keys()]
      : (readdirSync(this.#root.inside(path), 'latin1') as Name[])
    this.#frames.push({ ...found, names, next: 0, missing: folder.entries.size })
  }

  /** Yields what is gone from a directory after all of its names were looked at. */
  *#leave({ path, names, folder, kept, missing }: Frame): Generator<Change> {
    if (missing > 0) {
      const there = new Set(names)
      for (const [name, entry] of folder.entries) {
        if (there.has(name) || kept?.get(name) === keptWhole) continue
        this.#index.delete(entry)
        folder.entries.delete(name)
        yield* this.#withParents({ kind: 'whiteout', path: joinName(path, name) })
      }
    }
    this.#frames.pop()
  }

  /**
   * The next name that is not what was known of it; its facts are at hand. Most files are untouched, and
   * this is all that is done for one.
   */
  #nextDifference(frame: Frame): Name | undefined {
    const { path, names, folder, kept } = frame
    const facts = this.#facts
    const directory = this.#root.directory(path)
    if (directory === undefined) throw new Error(`${path} is not a directory any more`)
    while (frame.next < names.length) {
      const name = names[frame.next++] as Name
      if (kept?.get(name) === keptWhole || !facts.read(directory, name)) continue
      const known = folder.entries.get(name)
      if (known !== undefined) frame.missing -= 1
      if (typeof known === 'number' && this.#index.isUntouched(known, facts)) continue
      if (!isOfNoLayer(facts)) return name
    }
    return undefined
  }

  *#take({ path: parent, folder, kept }: Frame, name: Name): Generator<Change> {
    const path = joinName(parent, name)
    const known = folder.entries.get(name)
    if (this.#facts.is('directory')) {
      yield* this.#takeDirectory({ path, kept: kept?.get(name) }, { parent: folder, name })
      return
    }
    if (typeof known === 'number') this.#index.set(known, this.#facts)
    else {
      if (known !== undefined) this.#index.delete(known)
      folder.entries.set(name, this.#index.add(this.#facts))
    }
    yield* this.#withParents(this.#entry(path))
  }

  *#takeDirectory(
    found: Pick<Frame, 'path' | 'kept'>,
    { parent, name }: { readonly parent: Folder; readonly name: Name },
  ): Generator<Change> {
    const index = this.#index
    const { mode } = this.#facts
    const known = parent.entries.get(name)
    if (typeof known === 'object' && this.#isKnown(found.path, known)) {
      // What leads to something kept may be of no layer. Making a mount point in it changes its time of
      // change, and nothing that is seen.
      const isYielded =
        found.kept === undefined
          ? !index.hasEqualTimes(known.row, this.#facts)
          : !index.isAlike(known.row, this.#facts)
      const hasKnownNames = index.isUntouched(known.row, this.#facts)
      index.set(known.row, this.#facts)
      if (isYielded) yield* this.#withParents(this.#entry(found.path))
      this.#enter({ ...found, folder: known, isYielded, mode, hasKnownNames })
      return
    }
    if (known !== undefined) index.delete(known)
    const fresh: Folder = { row: index.add(this.#facts), entries: new Map() }
    parent.entries.set(name, fresh)
    yield* this.#withParents(this.#entry(found.path))
    if (typeof known === 'object') yield { kind: 'opaque', path: found.path }
    this.#enter({ ...found, folder: fresh, isYielded: true, mode, hasKnownNames: false })
  }

  /**
   * Whether a directory is the one that was known. An overlay on two file systems gives directories, though
   * not files, other numbers when they have left the cache: then its times tell, which a move would have
   * changed, or a file in it that is untouched.
   */
  #isKnown(path: Name, known: Folder): boolean {
    const comparison = this.#index.compare(known.row, this.#facts)
    if (comparison !== 'renumbered') return comparison === 'same'
    if (this.#index.hasEqualTimes(known.row, this.#facts)) return true
    const directory = this.#root.directory(path)
    if (directory === undefined) return false
    const facts = new FileFacts()
    for (const [name, entry] of known.entries) {
      if (typeof entry !== 'number' || !facts.read(directory, name)) continue
      if (this.#index.isUntouched(entry, facts)) return true
    }
    return false
  }

  /** Yields a change after the directories that contain it. */
  *#withParents(change: Change): Generator<Change> {
    const frames = this.#frames
    let first = frames.length
    while (frames[first - 1]?.isYielded === false) first -= 1
    for (const frame of frames.slice(first)) {
      frame.isYielded = true
      yield this.#entry(frame.path)
    }
    yield change
  }

  #entry(path: Name): EntryChange {
    const place = this.#root.place(path)
    const found = fileStatOf(lstatSync(place), { place })
    const mode = this.#locked.modeOf(path)
    const stat = mode === undefined ? found : { ...found, mode }
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
      return { ...entry, open: () => this.#locked.openFile(path) }
    }
    if (stat.type !== 'symlink') return entry
    return { ...entry, target: readlinkSync(place, 'latin1') as Name }
  }
}

/**
 * A socket is in no layer, and in its place is what was there before; and so for the overlay form of a
 * deletion, which overlayfs lets no program make.
 */
function isOfNoLayer(facts: FileFacts): boolean {
  return facts.is('socket') || (facts.device === 0 && facts.is('character'))
}

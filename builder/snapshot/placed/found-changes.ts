import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { type FoundChange, fileXattrs, layerXattrs } from '#builder/layer'
import { FileFacts, fileStatOf, type RootedDirectory } from '#builder/linux'
import {
  type Change,
  checkpoint,
  type EntryChange,
  type FileStat,
  joinName,
  type Name,
  type Tree,
} from '#core'
import type { FileIndex, Folder } from './file-index.ts'
import { type Kept, keptWhole } from './kept-paths.ts'
import type { LockedFiles } from './locked-files.ts'
import type { SharedName } from './parted-names.ts'

/** The root is walked in any case. */
const OWNER_MAY = 0o700

/** A directory that is being walked. */
interface Frame {
  readonly path: Name
  /** What is there and what was known of it, sorted. */
  readonly names: readonly Name[]
  /** The next one of the names. */
  next: number
  /** What was known of it; what is found is written to it. */
  readonly folder: Folder
  readonly kept: Kept | undefined
  /** It has replaced a directory of the layers below. */
  readonly isHidden: boolean
  isYielded: boolean
}

/** What is found of a directory, before it is walked. */
type FoundFolder = Omit<Frame, 'names' | 'next'> & {
  readonly mode: number
  /** It has the times that were known, so nothing has got or lost a name in it. */
  readonly hasKnownNames: boolean
}

/** What changes are found in. */
export interface ComparedRoot {
  readonly root: RootedDirectory
  /** Of what was placed there. */
  readonly index: FileIndex
  readonly locked: LockedFiles
  /**
   * The merged view of the layers that were placed: then the changes are those of a tar, without opaque marks
   * and with the attributes that layers keep. Absent: they are as an overlay's upper directory has them.
   */
  readonly lower?: Tree | undefined
}

/** Compares a root with an index, yields the differences, and makes the index that of what was found. */
export class FoundChanges {
  /** Names of files that have several, without the first one. */
  readonly sharedNames: SharedName[] = []
  readonly #root: RootedDirectory
  readonly #index: FileIndex
  readonly #locked: LockedFiles
  readonly #lower: Tree | undefined
  readonly #links = new Map<string, Name>()
  readonly #frames: Frame[] = []
  /** Of the name at hand. */
  readonly #facts = new FileFacts()

  constructor({ root, index, locked, lower }: ComparedRoot) {
    this.#root = root
    this.#index = index
    this.#locked = locked
    this.#lower = lower
  }

  /** In walk order. The root comes first, always. */
  *changes(shown: Folder, kept: Kept): Generator<FoundChange> {
    const path = '' as Name
    yield { change: this.#entry(path), isHidden: false }
    const root = { path, folder: shown, kept, mode: OWNER_MAY, isHidden: false }
    this.#enter({ ...root, isYielded: true, hasKnownNames: false })
    for (let top = this.#frames.at(-1); top !== undefined; top = this.#frames.at(-1)) {
      const name = this.#nextDifference(top)
      if (name === undefined) this.#frames.pop()
      else yield* this.#take(top, name)
    }
  }

  #enter({ mode, hasKnownNames, ...found }: FoundFolder): void {
    checkpoint()
    this.#locked.unlock(found.path, mode)
    const known = [...found.folder.entries.keys()]
    const names = hasKnownNames ? known : [...new Set([...known, ...this.#namesIn(found)])]
    this.#frames.push({ ...found, names: names.sort(), next: 0 })
  }

  /** What is there, and in a hidden directory what only the layers below have. */
  #namesIn({ path, isHidden }: Pick<Frame, 'path' | 'isHidden'>): readonly Name[] {
    const names = readdirSync(this.#root.inside(path), 'latin1') as Name[]
    const lower = isHidden ? this.#lower : undefined
    return lower?.lstat(path)?.type === 'directory' ? [...names, ...lower.readdir(path)] : names
  }

  /**
   * The next name that is not what was known of it; its facts are at hand, or say that nothing is there. Most
   * files are untouched, and this is all that is done for one.
   */
  #nextDifference(frame: Frame): Name | undefined {
    const { path, names, folder, kept } = frame
    const facts = this.#facts
    const directory = this.#root.directory(path)
    if (directory === undefined) throw new Error(`${path} is not a directory any more`)
    while (frame.next < names.length) {
      const name = names[frame.next++] as Name
      if (kept?.get(name) === keptWhole) continue
      if (!facts.read(directory, name)) return name
      const known = folder.entries.get(name)
      if (typeof known === 'number' && this.#index.isUntouched(known, facts)) continue
      if (!isOfNoLayer(facts)) return name
    }
    return undefined
  }

  *#take({ path: parent, folder, kept, isHidden }: Frame, name: Name): Generator<FoundChange> {
    const path = joinName(parent, name)
    const known = folder.entries.get(name)
    if (!this.#facts.isThere) {
      if (known !== undefined) this.#index.delete(known)
      folder.entries.delete(name)
      yield* this.#withParents({ kind: 'whiteout', path })
      return
    }
    if (this.#facts.is('directory')) {
      const found = { path, kept: kept?.get(name), isHidden }
      yield* this.#takeDirectory(found, { parent: folder, name })
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
    found: Pick<Frame, 'path' | 'kept' | 'isHidden'>,
    { parent, name }: { readonly parent: Folder; readonly name: Name },
  ): Generator<FoundChange> {
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
    const isReplaced = typeof known === 'object'
    if (isReplaced && this.#lower === undefined) {
      yield { change: { kind: 'opaque', path: found.path }, isHidden: found.isHidden }
    }
    const isHidden = found.isHidden || isReplaced
    const entered = { ...found, folder: fresh, mode, isHidden }
    this.#enter({ ...entered, isYielded: true, hasKnownNames: false })
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
  *#withParents(change: Change): Generator<FoundChange> {
    const frames = this.#frames
    const isHidden = frames.at(-1)?.isHidden === true
    let first = frames.length
    while (frames[first - 1]?.isYielded === false) first -= 1
    for (const frame of frames.slice(first)) {
      frame.isYielded = true
      yield { change: this.#entry(frame.path), isHidden }
    }
    yield { change, isHidden }
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
    const xattrs = this.#lower === undefined ? fileXattrs(place) : keptXattrs(stat, place)
    const entry = { kind: 'entry', path, stat, xattrs } as const
    if (stat.type === 'file') {
      return { ...entry, open: () => this.#locked.openFile(path) }
    }
    if (stat.type !== 'symlink') return entry
    return { ...entry, target: readlinkSync(place, 'latin1') as Name }
  }
}

const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map()

function keptXattrs({ type }: FileStat, place: string | Buffer): ReadonlyMap<string, Buffer> {
  return type === 'file' ? layerXattrs(place) : NO_XATTRS
}

/**
 * A socket is in no layer, and in its place is what was there before; and so for the overlay form of a
 * deletion, which overlayfs lets no program make.
 */
function isOfNoLayer(facts: FileFacts): boolean {
  return facts.is('socket') || (facts.device === 0 && facts.is('character'))
}

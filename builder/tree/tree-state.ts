/**
 * What the files of a folder are like by all that the kernel says of them, without a look at their contents: the
 * quickest way to see that nothing was changed. See docs/adr/0054
 */
import { closeSync, constants, lstatSync, openSync } from 'node:fs'
import { childPath, FolderScanner, RootedDirectory } from '#builder/linux'
import {
  type Digest,
  Digester,
  errnoOf,
  joinName,
  type Name,
  RACY_MILLISECONDS,
  TsbuildError,
  textOfName,
} from '#core'
import { LeftOut } from './left-out.ts'
import type { IgnoreMatcher } from './visibility.ts'

/** Folders and files of a tree, and what does not exist in it. */
export interface StateOptions {
  /** Relative to the root of the tree, in the order in which they count. */
  readonly paths: readonly Name[]
  readonly ignore?: IgnoreMatcher | undefined
  /** A folder that does not exist either, wherever in the tree it is: the store. */
  readonly leftOut?: string | undefined
  /** Called with numbers of entries that were looked at. */
  readonly onLook?: ((count: number) => void) | undefined
}

/** The state of files at some time. */
export interface TreeState {
  /** Equal only where nothing was changed in between: names, types, modes, owners, inodes, sizes, times. */
  readonly digest: Digest
  /** When one of them was changed last; milliseconds since the epoch. */
  readonly changedAt: number
  /** What is in folders, for `scannedTree`; not of those in which it is not certain what exists, nor of very many. */
  readonly folders: ReadonlyMap<Name, Uint8Array>
  /**
   * What was changed so shortly before that it may be changed once more and look the same; `undefined` where
   * `folders` lacks some, or where this is much.
   */
  readonly recent: readonly Name[] | undefined
}

const OPEN_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
/** Where the next name would be. */
const END_OF_FOLDER = Uint8Array.of(0)
/** Of what is kept of folders: some hundred thousand files. */
const MOST_BYTES = 16 << 20
const MOST_RECENT = 1000
/** So many folders are open at once. */
const MAX_DEPTH = 64

/**
 * The state of everything below the given paths of the folder `root`; it yields now and then. `undefined` where
 * it cannot be told this way: a path is not a folder or leads over a link, a tree is very deep, something cannot
 * be read, or this machine lacks the calls.
 */
export function* treeState(
  root: string,
  options: StateOptions,
): Generator<void, TreeState | undefined> {
  const folder = openRoot(root)
  try {
    return folder && (yield* new StateWalk(folder, options).walk())
  } catch (cause) {
    // The code that looks at every file says what is wrong.
    if (cause instanceof TsbuildError || errnoOf(cause) !== undefined) return undefined
    throw cause
  } finally {
    folder?.close()
  }
}

function openRoot(root: string): RootedDirectory | undefined {
  try {
    return new RootedDirectory(root)
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}

/** A folder that is open, with the names of those in it that are still to be scanned, last first. */
interface OpenFolder {
  readonly path: Name
  readonly descriptor: number
  readonly folders: Name[]
}

class StateWalk {
  readonly #root: RootedDirectory
  readonly #options: StateOptions
  readonly #leftOut: LeftOut | undefined
  readonly #scanner = new FolderScanner()
  readonly #digester = new Digester()
  #changedAt = 0
  readonly #folders = new Map<Name, Uint8Array>()
  #bytesLeft = MOST_BYTES
  #isWhole = true
  readonly #recent: Name[] = []
  readonly #recentFrom = Date.now() - RACY_MILLISECONDS

  constructor(root: RootedDirectory, options: StateOptions) {
    this.#root = root
    this.#options = options
    this.#leftOut = LeftOut.folder(options.leftOut)
  }

  *walk(): Generator<void, TreeState | undefined> {
    for (const path of this.#options.paths) {
      const isTold = path === '' ? yield* this.#below(path) : yield* this.#at(path)
      if (!isTold) return undefined
    }
    return {
      digest: this.#digester.digest(),
      changedAt: this.#changedAt,
      folders: this.#folders,
      recent: this.#isWhole && this.#recent.length <= MOST_RECENT ? this.#recent : undefined,
    }
  }

  *#at(path: Name): Generator<void, boolean> {
    const slash = path.lastIndexOf('/')
    const parent = this.#root.directory(path.slice(0, Math.max(slash, 0)) as Name)
    if (parent === undefined) return false
    if (this.#scanner.scanName(parent, path.slice(slash + 1) as Name) === 0) return false
    const [isFolder, isLink] = [this.#scanner.isFolderAt(0), this.#scanner.isLinkAt(0)]
    this.#keep(0)
    this.#digester.update(this.#scanner.kept())
    if (isLink) return false
    return isFolder ? yield* this.#below(path) : true
  }

  /** Depth first; false when it is too deep. */
  *#below(top: Name): Generator<void, boolean> {
    const opened: OpenFolder[] = []
    try {
      opened.push(yield* this.#scan(this.#openTop(top), top))
      for (let last = opened.at(-1); last !== undefined; last = opened.at(-1)) {
        const name = last.folders.pop()
        if (name === undefined) closeSync((opened.pop() ?? last).descriptor)
        else if (opened.length === MAX_DEPTH) return false
        else {
          const descriptor = openSync(childPath(last.descriptor, name), OPEN_FLAGS)
          opened.push(yield* this.#scan(descriptor, joinName(last.path, name)))
        }
      }
      return true
    } finally {
      for (const { descriptor } of opened) closeSync(descriptor)
    }
  }

  /** For reading: what is kept open leads to it, but cannot be listed. */
  #openTop(path: Name): number {
    return openSync(`${this.#root.inside(path)}/.`, OPEN_FLAGS)
  }

  *#scan(descriptor: number, path: Name): Generator<void, OpenFolder> {
    const folders: Name[] = []
    const parts: Uint8Array[] = []
    let isCertain = true
    try {
      for (const count of this.#scanner.scan(descriptor)) {
        this.#options.onLook?.(count)
        for (let index = 0; index < count; index++) {
          const visibility = this.#visibilityOf(index, path, descriptor)
          if (visibility === 'hidden') continue
          if (visibility === 'open') isCertain = false
          if (this.#scanner.isFolderAt(index)) folders.push(this.#scanner.nameAt(index))
          if (this.#scanner.changedAt(index) > this.#recentFrom) this.#note(index, path)
          this.#keep(index)
        }
        const kept = this.#scanner.kept()
        this.#digester.update(kept)
        parts.push(new Uint8Array(kept))
        yield
      }
      if (isCertain) this.#remember(path, parts)
      else this.#isWhole = false
      this.#digester.update(END_OF_FOLDER)
      return { path, descriptor, folders }
    } catch (cause) {
      closeSync(descriptor)
      throw cause
    }
  }

  /** Most folders are listed in one part. */
  #remember(path: Name, parts: readonly Uint8Array[]): void {
    const [first] = parts
    const entries = first !== undefined && parts.length === 1 ? first : Buffer.concat(parts)
    this.#bytesLeft -= entries.length
    if (this.#bytesLeft >= 0) this.#folders.set(path, entries)
    else this.#isWhole = false
  }

  #note(index: number, folder: Name): void {
    if (this.#recent.length > MOST_RECENT) return
    this.#recent.push(joinName(folder, this.#scanner.nameAt(index)))
  }

  /** `open`: an ignored folder, which exists if something in it is included again; it counts with all of that. */
  #visibilityOf(index: number, folder: Name, descriptor: number): 'shown' | 'hidden' | 'open' {
    const { ignore } = this.#options
    const isFolder = this.#scanner.isFolderAt(index)
    if (ignore === undefined && !(isFolder && this.#leftOut !== undefined)) return 'shown'
    const name = this.#scanner.nameAt(index)
    if (isFolder && this.#isLeftOut(descriptor, name)) return 'hidden'
    const path = textOfName(joinName(folder, name))
    if (ignore?.isIgnored(path) !== true) return 'shown'
    return isFolder && ignore.mayContainIncluded(path) ? 'open' : 'hidden'
  }

  #isLeftOut(descriptor: number, name: Name): boolean {
    if (this.#leftOut === undefined) return false
    const stats = lstatSync(childPath(descriptor, name), { throwIfNoEntry: false })
    return stats !== undefined && this.#leftOut.isItself(stats)
  }

  #keep(index: number): void {
    this.#changedAt = Math.max(this.#changedAt, this.#scanner.changedAt(index))
    this.#scanner.keep(index)
  }
}

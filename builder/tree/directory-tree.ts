import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  type Stats,
} from 'node:fs'
import { fileStatOf, getXattr, RootedDirectory } from '#builder/linux'
import {
  checkpoint,
  errnoOf,
  type FileStat,
  joinName,
  type Name,
  type NamedStat,
  parentOf,
  type ReadableTree,
  TsbuildError,
  textOfName,
} from '#core'
import { LeftOut } from './left-out.ts'
import { accessError, missingError, quote } from './tree-errors.ts'
import { UnseenWrites } from './unseen-writes.ts'
import { type DirectoryLister, type IgnoreMatcher, Visibility } from './visibility.ts'

/** What of a folder is visible, and with which metadata. */
export interface DirectoryTreeOptions {
  /** What it ignores does not exist. */
  readonly ignore?: IgnoreMatcher
  /** A folder that does not exist either, wherever in the tree it is: the store. */
  readonly leftOut?: string | undefined
  /** `root` (default): everything belongs to 0:0, as in a build context. */
  readonly owner?: 'root' | 'kept'
  /**
   * `git`: what git keeps of modes, whether a file can be executed. The rest comes from the
   * umask of the working copy's owner. Default: `kept`.
   */
  readonly modes?: 'kept' | 'git'
  /** Called before a file is read whose content may change while its times stay the same. */
  readonly onUnseenWrites?: ((path: Name) => void) | undefined
}

const OPEN_FLAGS =
  constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

const CAPABILITY = 'security.capability'
const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map()

/**
 * The folder `root` on the host as a tree. A link at `root` itself is followed, once; below it
 * nothing leads out of the folder, even while its directories are being replaced by links.
 * @throws {TsbuildError} CONTEXT_INVALID when `root` is not a folder, PERMISSION_DENIED; the tree's
 * methods throw PERMISSION_DENIED and IO_FAILED, naming the file
 */
export function directoryTree(root: string, options: DirectoryTreeOptions = {}): ReadableTree {
  return new DirectoryTree(openContext(root), { ...options, unseen: new UnseenWrites(root) })
}

function openContext(root: string): RootedDirectory {
  try {
    return new RootedDirectory(root)
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw accessError('open', root, cause)
    const problem = errno === 'ENOENT' ? 'not found' : 'is not a directory'
    throw new TsbuildError(`unable to prepare context: path ${JSON.stringify(root)} ${problem}`, {
      code: 'CONTEXT_INVALID',
      cause,
      hint: 'the build context is a folder, usually "."',
    })
  }
}

interface Found {
  readonly stats: Stats
  readonly place: string | Buffer
}

interface ListedEntry {
  readonly name: Name
  readonly isFile: boolean
  /** True also where that is not known. */
  readonly isFolder: boolean
}

class DirectoryTree implements ReadableTree {
  readonly #root: RootedDirectory
  readonly #owner: 'root' | 'kept'
  readonly #modes: 'kept' | 'git'
  readonly #visibility: Visibility | undefined
  readonly #leftOut: LeftOut | undefined
  readonly #onUnseenWrites: DirectoryTreeOptions['onUnseenWrites']
  readonly #unseen: UnseenWrites
  /** A file that was opened in place of looking at it. */
  #ahead: { readonly path: Name; readonly descriptor: number } | undefined

  constructor(
    root: RootedDirectory,
    options: DirectoryTreeOptions & { readonly unseen: UnseenWrites },
  ) {
    this.#root = root
    this.#onUnseenWrites = options.onUnseenWrites
    this.#unseen = options.unseen
    this.#owner = options.owner ?? 'root'
    this.#modes = options.modes ?? 'kept'
    this.#leftOut = LeftOut.folder(options.leftOut)
    this.#visibility =
      options.ignore === undefined ? undefined : new Visibility(options.ignore, this.#lister())
  }

  lstat(path: Name): FileStat | undefined {
    const found = this.#find(path)
    if (found === undefined) return undefined
    const { stats, place } = found
    const isHidden = this.#visibility?.isHidden(path, () => stats.isDirectory()) ?? false
    if (isHidden) return undefined
    return this.#statOf(stats, place)
  }

  #statOf(stats: Stats, place: string | Buffer): FileStat {
    const stat = fileStatOf(stats, { owner: this.#owner, place })
    return this.#modes === 'git' ? { ...stat, mode: gitMode(stat) } : stat
  }

  readdir(path: Name): readonly Name[] {
    const names = this.#names(path)
    const visibility = this.#visibility
    if (visibility === undefined) return names
    return names.filter((name) => {
      const child = joinName(path, name)
      return !visibility.isHidden(child, () => this.#isDirectory(child))
    })
  }

  /** Opens a file in place of looking at it first, which is a third of the work for a small one. */
  *readFiles(path: Name): Generator<NamedStat> {
    const visibility = this.#visibility
    for (const { name, isFile } of this.#list(path)) {
      const child = joinName(path, name)
      if (visibility?.isHidden(child, () => this.#isDirectory(child))) continue
      const stat = (isFile ? this.#openAhead(child) : undefined) ?? this.lstat(child)
      if (stat !== undefined) yield { name, stat }
    }
  }

  /** `undefined` for what cannot be opened, or is not a regular file any more. */
  #openAhead(path: Name): FileStat | undefined {
    this.#closeAhead()
    try {
      const place = this.#root.at(path)
      if (place === undefined) return undefined
      this.#ahead = { path, descriptor: openSync(place, OPEN_FLAGS) }
      const stats = fstatSync(this.#ahead.descriptor)
      if (stats.isFile()) {
        this.#lookForWriters(path, this.#ahead.descriptor, stats)
        return this.#statOf(stats, place)
      }
    } catch {
      // Looking at it or opening it later throws the failure.
    }
    this.#closeAhead()
    return undefined
  }

  #lookForWriters(path: Name, descriptor: number, stats: Stats): void {
    if (this.#onUnseenWrites === undefined) return
    if (this.#unseen.arePossible(descriptor, stats)) this.#onUnseenWrites(path)
  }

  #closeAhead(): void {
    if (this.#ahead !== undefined) closeSync(this.#ahead.descriptor)
    this.#ahead = undefined
  }

  readlink(path: Name): Name {
    return this.#at('read the link', path, (at) => readlinkSync(at, 'latin1') as Name)
  }

  openFile(path: Name): number {
    const ahead = this.#ahead
    if (ahead?.path === path) {
      this.#ahead = undefined
      return ahead.descriptor
    }
    // O_NONBLOCK: a FIFO that took the file's place must not block the thread until it has a writer.
    const descriptor = this.#at('open', path, (at) => openSync(at, OPEN_FLAGS))
    const stats = fstatSync(descriptor)
    if (stats.isFile()) {
      this.#lookForWriters(path, descriptor, stats)
      return descriptor
    }
    closeSync(descriptor)
    throw new TsbuildError(`open ${quote(path)}: it is not a regular file any more`, {
      code: 'IO_FAILED',
      hint: 'something changes the build context during the build',
    })
  }

  xattrs(path: Name): ReadonlyMap<string, Buffer> {
    const value = this.#at('read the attributes of', path, (at) => getXattr(at, CAPABILITY))
    return value === undefined ? NO_XATTRS : new Map([[CAPABILITY, value]])
  }

  close(): void {
    this.#closeAhead()
    this.#root.close()
  }

  #lister(): DirectoryLister {
    return {
      names: (path) => this.#names(path),
      isDirectory: (path) => this.#isDirectory(path),
    }
  }

  #isDirectory(path: Name): boolean {
    return this.#find(path)?.stats.isDirectory() ?? false
  }

  #find(path: Name): Found | undefined {
    const found = this.#look(path)
    if (found === undefined || this.#leftOut === undefined || path === '') return found
    const isIn =
      this.#leftOut.isItself(found.stats) ||
      this.#leftOut.holds(parentOf(path), (folder) => this.#look(folder)?.stats)
    return isIn ? undefined : found
  }

  #look(path: Name): Found | undefined {
    try {
      const place = this.#root.at(path)
      if (place === undefined) return undefined
      const stats = lstatSync(place, { throwIfNoEntry: false })
      return stats === undefined ? undefined : { stats, place }
    } catch (cause) {
      throw accessError('read', textOfName(path), cause)
    }
  }

  #names(path: Name): Name[] {
    if (this.#leftOut === undefined) return this.#namesOnDisk(path)
    const entries = this.#unsorted(path)
    const names = entries.map(({ name }) => name).sort()
    const hidden = entries.filter(({ name, isFolder }) => {
      return isFolder && this.#find(joinName(path, name)) === undefined
    })
    if (hidden.length === 0) return names
    return names.filter((name) => hidden.every((one) => one.name !== name))
  }

  #namesOnDisk(path: Name): Name[] {
    return this.#listing(path, (place) => readdirSync(place, 'latin1').sort() as Name[])
  }

  #list(path: Name): readonly ListedEntry[] {
    return this.#unsorted(path).sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  #unsorted(path: Name): ListedEntry[] {
    const options = { encoding: 'latin1', withFileTypes: true } as const
    try {
      const entries = this.#listing(path, (place) => readdirSync(place, options))
      return entries.map((entry) => {
        const name = entry.name as Name
        return { name, isFile: entry.isFile(), isFolder: entry.isDirectory() }
      })
    } catch {
      // Where a file system has no types in its listings, Node looks at each file, by its name as text.
      return this.#namesOnDisk(path).map((name) => ({ name, isFile: false, isFolder: true }))
    }
  }

  #listing<T>(path: Name, read: (place: string) => T): T {
    checkpoint()
    try {
      const handle = this.#root.directory(path)
      if (handle === undefined) throw missingError('list', path)
      return read(`/proc/self/fd/${handle}`)
    } catch (cause) {
      throw accessError('list', textOfName(path), cause)
    }
  }

  #at<T>(doing: string, path: Name, operation: (at: string | Buffer) => T): T {
    try {
      const at = this.#root.at(path)
      if (at === undefined) throw missingError(doing, path)
      return operation(at)
    } catch (cause) {
      throw accessError(doing, textOfName(path), cause)
    }
  }
}

/** Spec: git-fast-import(1), the modes of files. */
function gitMode({ type, mode }: FileStat): number {
  if (type === 'directory') return 0o755
  if (type !== 'file') return mode
  return (mode & 0o100) === 0 ? 0o644 : 0o755
}

import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
} from 'node:fs'
import {
  childPath,
  makeNode,
  makeWhiteout,
  type NodeType,
  O_PATH,
  opaqueXattr,
  RootedDirectory,
  setXattr,
} from '#builder/linux'
import { bytesOfName, errnoOf, type FileStat, ioError, type Name, TsbuildError } from '#core'
import { quote } from '../paths/quote.ts'
import { parentOf } from '../paths/resolve.ts'
import { type CreationDefaults, creationDefaultsOf } from './creation-defaults.ts'
import { KeptOwners } from './kept-owners.ts'

const CREATE_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** Setuid and setgid, which are cleared when the owner changes. */
const SETID = 0o6000

/**
 * What happens to owners. `keep`: files get them. `drop`: files belong to the current user. `beside`:
 * likewise, and the owners are kept in a file beside the directory, for a machine with one user id.
 */
export type Owners = 'keep' | 'drop' | 'beside'

/** How files are made. */
export interface DirectoryOptions {
  readonly owners: Owners
  readonly onWarning: (message: string) => void
}

/** The metadata of an entry. */
export interface Attributes {
  readonly stat: FileStat
  readonly xattrs?: ReadonlyMap<string, Buffer> | undefined
}

/**
 * Makes files below a host directory and never follows a link there. An existing file is replaced, but a
 * directory stays when a directory is to be made. Parents must exist. The attributes of directories are
 * set by `finish`, because making files inside changes them.
 */
export class DirectoryWriter {
  readonly root: RootedDirectory
  readonly #options: DirectoryOptions
  readonly #directories = new Map<Name, Attributes>()
  readonly #defaults: CreationDefaults | undefined
  readonly #beside: { readonly directory: string; readonly owners: KeptOwners } | undefined

  /** Makes `directory` when it is missing; its parent must exist. */
  constructor(directory: string, options: DirectoryOptions) {
    let isNew = true
    try {
      mkdirSync(directory, 0o700)
    } catch (cause) {
      if (errnoOf(cause) !== 'EEXIST') throw ioError(`make directory ${directory}`, cause)
      isNew = false
    }
    this.root = new RootedDirectory(directory)
    this.#options = options
    this.#beside = options.owners === 'beside' ? { directory, owners: new KeptOwners() } : undefined
    this.#defaults = isNew ? creationDefaultsOf(this.root) : undefined
  }

  /** Makes a directory. @returns whether it replaces something else */
  makeDirectory(path: Name, attributes: Attributes): boolean {
    const replaced = path !== '' && this.#makeBareDirectory(path)
    this.#directories.set(path, attributes)
    return replaced
  }

  #makeBareDirectory(path: Name): boolean {
    try {
      mkdirSync(this.root.place(path), 0o700)
      return false
    } catch (cause) {
      if (errnoOf(cause) !== 'EEXIST') throw cause
    }
    if (this.root.lstat(path)?.isDirectory()) return false
    this.remove(path)
    mkdirSync(this.root.place(path), 0o700)
    return true
  }

  /** Creates a file. @returns a descriptor to write to before `setFileAttributes`; the caller closes it */
  makeFile(path: Name, stat: FileStat): number {
    const mode = this.#isCreatedWith(stat) ? stat.mode : 0o600
    return this.#make(path, (place) => openSync(place, CREATE_FILE, mode))
  }

  /** Sets owner, mode, extended attributes and time, after the content. */
  setFileAttributes(path: Name, fd: number, { stat, xattrs }: Attributes): void {
    if (!this.#isCreatedWith(stat)) {
      if (this.#options.owners === 'keep') fchownSync(fd, stat.uid, stat.gid)
      // After the owner, since changing it clears setuid bits and capabilities.
      fchmodSync(fd, stat.mode)
    }
    this.#recordOwner(path, stat)
    if (xattrs !== undefined) this.#setXattrs(path, xattrs)
    futimesSync(fd, ...timesOf(stat))
  }

  /** Whether a file has that owner and mode when it is created. */
  #isCreatedWith({ uid, gid, mode }: FileStat): boolean {
    const defaults = this.#defaults
    if (defaults === undefined || (mode & ~defaults.modes) !== 0) return false
    return this.#options.owners !== 'keep' || (uid === defaults.uid && gid === defaults.gid)
  }

  /** Makes a symbolic link with the text `target`. */
  makeSymlink(path: Name, target: Name, { stat, xattrs }: Attributes): void {
    const text = bytesOfName(target)
    this.#make(path, (place) => symlinkSync(text, place))
    const place = this.root.place(path)
    this.#setOwner(path, place, stat)
    if (xattrs !== undefined) this.#setXattrs(path, xattrs)
    lutimesSync(place, ...timesOf(stat))
  }

  #setOwner(path: Name, place: string | Buffer, stat: FileStat): void {
    if (this.#options.owners === 'keep') lchownSync(place, stat.uid, stat.gid)
    this.#recordOwner(path, stat)
  }

  /** Records an owner that the file itself does not have. */
  #recordOwner(path: Name, stat: FileStat): void {
    const owners = this.#beside?.owners
    if (isOwn(stat)) owners?.delete(path)
    else owners?.set(path, stat)
  }

  /** Makes a hard link to `target`: another path in this directory, which is not a directory. */
  makeHardlink(path: Name, target: Name): void {
    if (path === target) throw new Error('a hard link to itself')
    const parent = this.root.pin(parentOf(target))
    try {
      const from = childPath(parent, target.slice(target.lastIndexOf('/') + 1))
      this.#make(path, (place) => linkSync(from, place))
      const owner = this.#beside?.owners.get(target)
      if (owner !== undefined) this.#beside?.owners.set(path, owner)
    } finally {
      closeSync(parent)
    }
  }

  /** Makes a device or fifo. A device that the kernel refuses is left out with a warning. */
  makeSpecial(path: Name, type: NodeType, { stat, xattrs }: Attributes): void {
    try {
      this.#make(path, (place) => makeNode(place, type, stat))
    } catch (cause) {
      if (errnoOf(cause) !== 'EPERM' || type === 'fifo') throw cause
      this.#options.onWarning(`left out the device ${quote(path)}: only root can make devices`)
      return
    }
    const place = this.root.place(path)
    this.#setOwner(path, place, stat)
    if ((stat.mode & SETID) !== 0) setModeOfNode(place, stat.mode)
    if (xattrs !== undefined) this.#setXattrs(path, xattrs)
    lutimesSync(place, ...timesOf(stat))
  }

  /** Makes the overlay form of a deleted name. */
  makeWhiteout(path: Name): void {
    this.#make(path, makeWhiteout)
  }

  /** Makes a directory hide the layers below. */
  markOpaque(path: Name): void {
    setXattr(this.root.place(path), opaqueXattr(), Buffer.from('y'))
  }

  /** Removes what is at `path`, with everything below. */
  remove(path: Name): void {
    this.root.remove(path)
    this.#beside?.owners.deleteTree(path)
    const below = `${path}/`
    for (const directory of this.#directories.keys()) {
      if (directory === path || directory.startsWith(below)) this.#directories.delete(directory)
    }
  }

  /** Sets the attributes of directories, deepest first: a parent may become inaccessible. */
  finish(): void {
    for (const [path, attributes] of [...this.#directories].reverse()) {
      try {
        this.#finishDirectory(path, attributes)
      } catch (cause) {
        throw writeError(path, cause)
      }
    }
    const { directory, owners } = this.#beside ?? {}
    if (directory !== undefined && owners?.isEmpty === false) owners.save(directory)
  }

  #finishDirectory(path: Name, { stat, xattrs }: Attributes): void {
    const place = `${this.root.inside(path)}/.`
    this.#setOwner(path, place, stat)
    if (xattrs !== undefined) this.#setXattrs(path, xattrs)
    lutimesSync(place, ...timesOf(stat))
    chmodSync(place, stat.mode)
  }

  close(): void {
    this.root.close()
  }

  #make<T>(path: Name, make: (place: string | Buffer) => T): T {
    try {
      return make(this.root.place(path))
    } catch (cause) {
      if (errnoOf(cause) !== 'EEXIST') throw cause
    }
    this.remove(path)
    return make(this.root.place(path))
  }

  #setXattrs(path: Name, xattrs: ReadonlyMap<string, Buffer>): void {
    for (const [name, value] of xattrs) {
      try {
        setXattr(this.root.place(path), name, value)
      } catch (cause) {
        if (errnoOf(cause) !== 'EOPNOTSUPP') throw cause
        this.#options.onWarning(`left out attribute ${name} of ${quote(path)}: not supported here`)
      }
    }
  }
}

function isOwn({ uid, gid }: FileStat): boolean {
  return uid === process.geteuid?.() && gid === process.getegid?.()
}

/** Access time, which is not kept, and modification time. */
function timesOf({ mtimeMs }: FileStat): [number | string, number | string] {
  // node:fs takes a negative number as the current time, but not a negative string.
  const seconds = mtimeMs < 0 ? String(mtimeMs / 1000) : mtimeMs / 1000
  return [seconds, seconds]
}

/** By O_PATH: opening a device may have side effects. */
function setModeOfNode(place: string | Buffer, mode: number): void {
  const node = openSync(place, O_PATH | constants.O_NOFOLLOW)
  try {
    chmodSync(`/proc/self/fd/${node}`, mode)
  } finally {
    closeSync(node)
  }
}

/** The error for a failure to make `path`, with a hint where the cause is known. */
export function writeError(path: Name, cause: unknown): TsbuildError {
  if (errnoOf(cause) === 'EINVAL' && cause instanceof Error && /chown/.test(cause.message)) {
    return new TsbuildError(`write ${quote(path)}: its owner is not in the range of user ids`, {
      code: 'PERMISSION_DENIED',
      cause,
      hint: 'give this user more ids in /etc/subuid and /etc/subgid',
    })
  }
  return ioError(`write ${quote(path)}`, cause)
}

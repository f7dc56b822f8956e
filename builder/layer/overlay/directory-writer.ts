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
  fileRights,
  makeNode,
  makeWhiteout,
  type NodeType,
  opaqueXattr,
  RootedDirectory,
  setNodeMode,
  setXattr,
} from '#builder/linux'
import { bytesOfName, errnoOf, type FileStat, ioError, type Name, parentOf } from '#core'
import { quote } from '../paths/quote.ts'
import { CAPABILITY } from '../paths/whiteout.ts'
import { type CreationDefaults, creationDefaultsOf } from './creation-defaults.ts'
import { KeptAttributes } from './kept-attributes.ts'
import { timesOf } from './node-attributes.ts'
import type { Owners } from './owners-beside.ts'
import { RightsOnDisk } from './rights-on-disk.ts'
import { writeError } from './write-error.ts'

const CREATE_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** Setuid and setgid, which are cleared when the owner changes. */
const SETID = 0o6000

/** What only mknod(2) makes, and layers can have. */
type SpecialType = Exclude<NodeType, 'socket'>

/** How files are made. */
export interface DirectoryOptions {
  readonly owners: Owners
  /** What files cannot have is left out with a warning instead of being kept beside the directory. */
  readonly isBare?: boolean
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
 * set by `finish`, because making files inside changes them. What the rights of this process do not
 * suffice for is kept beside the directory.
 */
export class DirectoryWriter {
  readonly root: RootedDirectory
  readonly #path: string
  readonly #options: DirectoryOptions
  readonly #directories = new Map<Name, Attributes>()
  readonly #defaults: CreationDefaults | undefined
  /** What is kept beside the directory; `undefined`: nothing is. */
  readonly #kept: KeptAttributes | undefined
  readonly #rights: RightsOnDisk
  /** Devices that could not be made. */
  readonly #leftOut = new Set<Name>()

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
    this.#path = directory
    this.#options = options
    this.#kept = options.owners === 'drop' || options.isBare ? undefined : new KeptAttributes()
    this.#rights = new RightsOnDisk(options.owners, this.#kept)
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
    const found = this.root.lstat(path)
    if (found?.isDirectory()) {
      if (!fileRights().overridesModes) this.#open(path, found.mode)
      return false
    }
    this.remove(path)
    mkdirSync(this.root.place(path), 0o700)
    return true
  }

  /** Makes a directory that was there accessible; it gets its mode in the end. */
  #open(path: Name, mode: number): void {
    if ((mode & 0o700) !== 0o700) chmodSync(`${this.root.inside(path)}`, 0o700)
  }

  /** Creates a file. @returns a descriptor to write to before `setFileAttributes`; the caller closes it */
  makeFile(path: Name, stat: FileStat): number {
    const mode = this.#isCreatedWith(stat) ? this.#rights.modeOnDisk(stat) : 0o600
    return this.#make(path, (place) => openSync(place, CREATE_FILE, mode))
  }

  /** Sets owner, mode, extended attributes and time, after the content. */
  setFileAttributes(path: Name, fd: number, { stat, xattrs }: Attributes): void {
    if (!this.#isCreatedWith(stat)) {
      if (this.#options.owners === 'keep') fchownSync(fd, stat.uid, stat.gid)
      // After the owner, since changing it clears setuid bits and capabilities.
      fchmodSync(fd, this.#rights.modeOnDisk(stat))
    }
    this.#rights.keep(path, stat)
    if (xattrs !== undefined) this.setXattrs(path, xattrs)
    futimesSync(fd, ...timesOf(stat))
  }

  /** Whether a file has that owner and mode when it is created. */
  #isCreatedWith(stat: FileStat): boolean {
    const defaults = this.#defaults
    if (defaults === undefined || (this.#rights.modeOnDisk(stat) & ~defaults.modes) !== 0)
      return false
    const { uid, gid } = stat
    return this.#options.owners !== 'keep' || (uid === defaults.uid && gid === defaults.gid)
  }

  /** Makes a symbolic link with the text `target`. */
  makeSymlink(path: Name, target: Name, { stat, xattrs }: Attributes): void {
    const text = bytesOfName(target)
    this.#make(path, (place) => symlinkSync(text, place))
    const place = this.root.place(path)
    this.#setOwner(path, place, stat)
    if (xattrs !== undefined) this.setXattrs(path, xattrs)
    lutimesSync(place, ...timesOf(stat))
  }

  #setOwner(path: Name, place: string | Buffer, stat: FileStat): void {
    if (this.#options.owners === 'keep') lchownSync(place, stat.uid, stat.gid)
    this.#rights.keep(path, stat)
  }

  /** Makes a hard link to `target`: another path in this directory, which is not a directory. */
  makeHardlink(path: Name, target: Name): void {
    if (path === target) throw new Error('a hard link to itself')
    if (this.#leftOut.has(target)) {
      this.#leftOut.add(path)
      return
    }
    const parent = this.root.pin(parentOf(target))
    try {
      const from = childPath(parent, target.slice(target.lastIndexOf('/') + 1))
      this.#make(path, (place) => linkSync(from, place))
      const kept = this.#kept?.get(target)
      if (kept !== undefined) this.#kept?.add(path, kept)
    } finally {
      closeSync(parent)
    }
  }

  /** Makes a device or fifo. What the kernel refuses is kept beside, or left out with a warning. */
  makeSpecial(path: Name, type: SpecialType, { stat, xattrs }: Attributes): void {
    const made: FileStat = { ...stat, mode: this.#rights.modeOnDisk(stat) }
    if (!this.#makeNode(path, { ...made, type })) return
    const place = this.root.place(path)
    this.#setOwner(path, place, stat)
    if ((made.mode & SETID) !== 0) setNodeMode(place, made.mode)
    if (xattrs !== undefined) this.setXattrs(path, xattrs)
    lutimesSync(place, ...timesOf(stat))
  }

  /** @returns false for a device that was left out */
  #makeNode(path: Name, node: FileStat & { readonly type: SpecialType }): boolean {
    const { type, mode, major, minor } = node
    try {
      this.#make(path, (place) => makeNode(place, type, node))
    } catch (cause) {
      if (errnoOf(cause) !== 'EPERM' || type === 'fifo') throw cause
      if (this.#kept === undefined) {
        this.#options.onWarning(`left out the device ${quote(path)}: only root can make devices`)
        this.#leftOut.add(path)
        return false
      }
      this.#make(path, (place) => makeNode(place, 'socket', { mode }))
      this.#kept.add(path, { device: { type, major, minor } })
    }
    return true
  }

  /** Whether there is a device at `path` that could not be made. */
  isLeftOut(path: Name): boolean {
    return this.#leftOut.has(path)
  }

  /** Makes the overlay form of a deleted name. */
  makeWhiteout(path: Name): void {
    try {
      this.#make(path, makeWhiteout)
    } catch (cause) {
      // Linux before 5.8, and some file systems, an overlay being one.
      if (errnoOf(cause) !== 'EPERM' || this.#kept === undefined) throw cause
      this.#make(path, (place) => makeNode(place, 'socket', { mode: 0o600 }))
      this.#kept.add(path, { device: { type: 'character', major: 0, minor: 0 } })
    }
  }

  /** Makes a directory hide the layers below. */
  markOpaque(path: Name): void {
    try {
      setXattr(this.root.place(path), opaqueXattr(), Buffer.from('y'))
    } catch (cause) {
      // A tmpfs before Linux 6.6, and some network file systems.
      if (errnoOf(cause) !== 'ENOTSUP' || this.#kept === undefined) throw cause
      this.#kept.add(path, { isOpaque: true })
    }
  }

  /** Removes what is at `path`, with everything below. */
  remove(path: Name): void {
    this.root.remove(path)
    this.#kept?.deleteTree(path)
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
    if (this.#kept?.isEmpty === false) this.#kept.save(this.#path)
  }

  #finishDirectory(path: Name, { stat, xattrs }: Attributes): void {
    const place = `${this.root.inside(path)}/.`
    this.#setOwner(path, place, stat)
    if (xattrs !== undefined) this.setXattrs(path, xattrs)
    lutimesSync(place, ...timesOf(stat))
    chmodSync(place, this.#rights.modeOnDisk(stat))
  }

  close(): void {
    this.root.close()
  }

  #make<T>(path: Name, make: (place: string | Buffer) => T): T {
    this.#leftOut.delete(path)
    try {
      return make(this.root.place(path))
    } catch (cause) {
      if (errnoOf(cause) !== 'EEXIST') throw cause
    }
    this.remove(path)
    return make(this.root.place(path))
  }

  /** Sets extended attributes of what was made at `path`. */
  setXattrs(path: Name, xattrs: ReadonlyMap<string, Buffer>): void {
    for (const [name, value] of xattrs) {
      try {
        setXattr(this.root.place(path), name, value)
      } catch (cause) {
        const errno = errnoOf(cause)
        if (errno !== 'ENOTSUP' && (errno !== 'EPERM' || name !== CAPABILITY)) throw cause
        if (name === CAPABILITY && this.#kept) this.#kept.add(path, { capability: value })
        else this.#options.onWarning(`left out attribute ${name} of ${quote(path)}: ${errno}`)
      }
    }
  }
}

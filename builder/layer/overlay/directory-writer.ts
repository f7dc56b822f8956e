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
  readFileSync,
  symlinkSync,
} from 'node:fs'
import {
  childPath,
  getXattr,
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
import { KeptOwners } from './kept-owners.ts'

const CREATE_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** Setuid and setgid: changing the owner clears them. */
const SETID = 0o6000
const SETGID = 0o2000
const DEFAULT_ACL = 'system.posix_acl_default'

/**
 * What becomes of owners. `drop`: everything belongs to the current user. `beside`: likewise, and a
 * file beside the directory says what the owners are, for where there is one user id only.
 */
export type Owners = 'keep' | 'drop' | 'beside'

export interface DirectoryOptions {
  readonly owners: Owners
  readonly onWarning: (message: string) => void
}

/** What an entry carries besides its content. */
export interface Attributes {
  readonly stat: FileStat
  readonly xattrs?: ReadonlyMap<string, Buffer> | undefined
}

/**
 * Makes files below a host directory and never follows a link there. What is at a path already is
 * replaced, except that a directory stays when a directory is to be made. Parents must exist.
 * The attributes of directories are set by `finish`, because what happens inside changes them.
 */
export class DirectoryWriter {
  readonly root: RootedDirectory
  readonly #options: DirectoryOptions
  readonly #directories = new Map<Name, Attributes>()
  readonly #born: Birth | undefined
  readonly #beside: { readonly directory: string; readonly owners: KeptOwners } | undefined

  /** Makes `directory` when it is missing; its parent must exist. */
  constructor(directory: string, options: DirectoryOptions) {
    let isOurs = true
    try {
      mkdirSync(directory, 0o700)
    } catch (cause) {
      if (errnoOf(cause) !== 'EEXIST') throw ioError(`make directory ${directory}`, cause)
      isOurs = false
    }
    this.root = new RootedDirectory(directory)
    this.#options = options
    this.#beside = options.owners === 'beside' ? { directory, owners: new KeptOwners() } : undefined
    this.#born = isOurs ? bornWith(this.root) : undefined
  }

  /** True when something that was no directory had to go. */
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

  /** A descriptor to write the content to, before `setFileAttributes`; the caller closes it. */
  makeFile(path: Name, stat: FileStat): number {
    const mode = this.#isBorn(stat) ? stat.mode : 0o600
    return this.#make(path, (place) => openSync(place, CREATE_FILE, mode))
  }

  setFileAttributes(path: Name, fd: number, { stat, xattrs }: Attributes): void {
    if (!this.#isBorn(stat)) {
      if (this.#options.owners === 'keep') fchownSync(fd, stat.uid, stat.gid)
      // Only now: changing the owner clears setuid bits and capabilities.
      fchmodSync(fd, stat.mode)
    }
    this.#noteOwner(path, stat)
    if (xattrs !== undefined) this.#setXattrs(path, xattrs)
    futimesSync(fd, ...timesOf(stat))
  }

  /** Whether a file can be made with that owner and mode. */
  #isBorn({ uid, gid, mode }: FileStat): boolean {
    const born = this.#born
    if (born === undefined || (mode & ~born.modes) !== 0) return false
    return this.#options.owners !== 'keep' || (uid === born.uid && gid === born.gid)
  }

  makeSymlink(path: Name, target: Name, { stat }: Attributes): void {
    const text = bytesOfName(target)
    this.#make(path, (place) => symlinkSync(text, place))
    const place = this.root.place(path)
    this.#setOwner(path, place, stat)
    lutimesSync(place, ...timesOf(stat))
  }

  #setOwner(path: Name, place: string | Buffer, stat: FileStat): void {
    if (this.#options.owners === 'keep') lchownSync(place, stat.uid, stat.gid)
    this.#noteOwner(path, stat)
  }

  /** What it is when nothing is done about it need not be noted. */
  #noteOwner(path: Name, stat: FileStat): void {
    const owners = this.#beside?.owners
    if (isOwn(stat)) owners?.delete(path)
    else owners?.set(path, stat)
  }

  /** `target` is another path in this directory, and no directory. */
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

  /** A device or fifo. What the kernel does not let us make is left out with a warning. */
  makeSpecial(path: Name, type: NodeType, { stat }: Attributes): void {
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
    lutimesSync(place, ...timesOf(stat))
  }

  makeWhiteout(path: Name): void {
    this.#make(path, makeWhiteout)
  }

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

  /** Sets the attributes of directories, the deepest first: a parent may be closed to us then. */
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

/** What a new file has without being told. */
interface Birth {
  readonly uid: number
  readonly gid: number
  /** The bits that its mode may have. */
  readonly modes: number
}

/** Of a directory without content; `undefined` where it hands its group or its access list down. */
function bornWith(root: RootedDirectory): Birth | undefined {
  const uid = process.geteuid?.()
  const gid = process.getegid?.()
  const stats = root.lstat('' as Name)
  if (uid === undefined || gid === undefined || stats === undefined) return undefined
  if (stats.gid !== gid || (stats.mode & SETGID) !== 0) return undefined
  if (getXattr(root.place('' as Name), DEFAULT_ACL) !== undefined) return undefined
  const umask = umaskHere()
  return umask === undefined ? undefined : { uid, gid, modes: 0o777 & ~umask }
}

/** Node would change the umask of the whole process to read it. Spec: proc(5), since Linux 4.7 */
function umaskHere(): number | undefined {
  const status = readFileSync('/proc/thread-self/status', 'latin1')
  const octal = /^Umask:\s*([0-7]+)$/m.exec(status)?.[1]
  return octal === undefined ? undefined : Number.parseInt(octal, 8)
}

/** Access time, which is of no interest, and modification time. */
function timesOf({ mtimeMs }: FileStat): [number | string, number | string] {
  // node:fs takes a negative number for "now", but not a negative text.
  const seconds = mtimeMs < 0 ? String(mtimeMs / 1000) : mtimeMs / 1000
  return [seconds, seconds]
}

/** Opening a device may do something; a mere place cannot, and is never a link. */
function setModeOfNode(place: string | Buffer, mode: number): void {
  const node = openSync(place, O_PATH | constants.O_NOFOLLOW)
  try {
    chmodSync(`/proc/self/fd/${node}`, mode)
  } finally {
    closeSync(node)
  }
}

/** A failure to make `path`, with a hint where the cause is known. */
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

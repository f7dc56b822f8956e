import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
} from 'node:fs'
import {
  type CopiedRights,
  FileCopier,
  fileRights,
  fileStatOf,
  getXattr,
  listXattrs,
  MAX_OPEN,
  type NameIn,
  opaqueXattr,
  RootedDirectory,
} from '#builder/linux'
import {
  checkpoint,
  type FileStat,
  ioError,
  type Name,
  parentOf,
  type Tree,
  TsbuildError,
} from '#core'
import { quote } from '../paths/quote.ts'
import { CAPABILITY } from '../paths/whiteout.ts'
import { KeptAttributes } from './kept-attributes.ts'

/** Neither follows a link, nor waits for the other end of a pipe, nor takes a terminal. */
const OPEN_FILE =
  constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY
const NOT_OF_FILE = /^(?:trusted|user)\.overlay\.|^security\.(?!capability$)/
const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map()

/** How a layer is opened. */
export interface RawTreeOptions {
  /** Prefix of inodes, so that those of several trees differ. */
  readonly scope?: string
  /** Limit of directories that are kept open. */
  readonly maxOpen?: number
}

/**
 * One host directory without interpretation: whiteouts are character devices, opaque marks are
 * attributes. Files have what is kept beside the directory, if anything is.
 */
export class RawTree implements Tree {
  readonly #root: RootedDirectory
  readonly #scope: string
  readonly #opaque = opaqueXattr()
  /** Where files get no owners, all belong to root but those that have another owner beside. */
  readonly #owner = fileRights().givesOwners ? undefined : { uid: 0, gid: 0 }
  readonly #kept: KeptAttributes | undefined
  #copier: FileCopier | undefined

  constructor(directory: string, { scope = '', maxOpen = MAX_OPEN }: RawTreeOptions = {}) {
    try {
      this.#root = new RootedDirectory(directory, maxOpen)
    } catch (cause) {
      throw ioError(`open directory ${directory}`, cause)
    }
    this.#scope = scope
    this.#kept = KeptAttributes.of(directory)
  }

  lstat(path: Name): FileStat | undefined {
    const place = this.#root.at(path)
    if (place === undefined) return undefined
    const stats = lstatSync(place, { throwIfNoEntry: false })
    if (stats === undefined) return undefined
    const stat = fileStatOf(stats, { place, scope: this.#scope })
    if (this.#owner === undefined && this.#kept === undefined) return stat
    return { ...stat, ...this.#owner, ...this.#kept?.statOf(path) }
  }

  readdir(path: Name): readonly Name[] {
    return readdirSync(this.#listing(path), 'latin1').sort() as Name[]
  }

  /** Like `readdir` with types, not sorted. */
  entries(path: Name): Dirent[] {
    return readdirSync(this.#listing(path), { withFileTypes: true, encoding: 'latin1' })
  }

  #listing(path: Name): string {
    checkpoint()
    const fd = this.#root.directory(path)
    if (fd === undefined) throw treeError(`list ${quote(path)}`, 'not a directory')
    return `/proc/self/fd/${fd}`
  }

  /** Whether capabilities of files may be kept beside the directory. */
  get hasKeptAttributes(): boolean {
    return this.#kept !== undefined
  }

  readlink(path: Name): Name {
    return readlinkSync(this.#root.place(path), 'latin1') as Name
  }

  openFile(path: Name): number {
    const fd = openSync(this.#root.place(path), OPEN_FILE)
    if (fstatSync(fd).isFile()) return fd
    closeSync(fd)
    throw treeError(`open ${quote(path)}`, 'not a regular file')
  }

  /** As `FileCopier.copy`, from a path of this tree. */
  copyFile(path: Name, to: NameIn, rights: CopiedRights): boolean {
    const directory = this.#root.directory(parentOf(path))
    if (directory === undefined) throw treeError(`open ${quote(path)}`, 'not in a directory')
    const name = path.slice(path.lastIndexOf('/') + 1) as Name
    this.#copier ??= new FileCopier()
    return this.#copier.copy({ directory, name }, to, rights)
  }

  xattrs(path: Name): ReadonlyMap<string, Buffer> {
    const kept = this.#kept?.get(path)?.capability
    return kept === undefined ? layerXattrs(this.#root.place(path)) : new Map([[CAPABILITY, kept]])
  }

  /** All attributes but those of overlayfs itself and of the host's security policy. */
  allXattrs(path: Name): ReadonlyMap<string, Buffer> {
    const all = fileXattrs(this.#root.place(path))
    const capability = this.#kept?.get(path)?.capability
    return capability === undefined ? all : new Map([...all, [CAPABILITY, capability]])
  }

  /** Whether a directory hides the layers below. */
  isOpaque(path: Name): boolean {
    if (this.#kept?.get(path)?.isOpaque === true) return true
    return getXattr(this.#root.place(path), this.#opaque)?.toString('latin1') === 'y'
  }

  close(): void {
    this.#root.close()
  }
}

/** The attributes of a file that belong into a layer. */
export function layerXattrs(place: string | Buffer): ReadonlyMap<string, Buffer> {
  const value = getXattr(place, CAPABILITY)
  return value === undefined ? NO_XATTRS : new Map([[CAPABILITY, value]])
}

/** All attributes of a file but those of overlayfs itself and of the host's security policy. */
export function fileXattrs(place: string | Buffer): ReadonlyMap<string, Buffer> {
  const all = listXattrs(place)
  for (const name of all.keys()) if (NOT_OF_FILE.test(name)) all.delete(name)
  return all
}

/** A host directory as a tree, see `RawTree`. */
export function rawTree(directory: string): Tree {
  return new RawTree(directory)
}

/** The error for something in a tree that is missing or of another type. */
export function treeError(doing: string, reason: string): TsbuildError {
  return new TsbuildError(`${doing}: ${reason}`, { code: 'IO_FAILED' })
}

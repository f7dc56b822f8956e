import { closeSync, constants, lstatSync, openSync, type Stats } from 'node:fs'
import { errnoOf, type Name, parentOf } from '#core'
import { childPath, O_PATH, removeEntry } from '#disk'

const OPEN_PLACE = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW
const OPEN_ROOT = O_PATH | constants.O_DIRECTORY
/** Enough for the working set of a depth-first walk. */
export const MAX_OPEN = 128

/**
 * A host directory with untrusted content. Every path is walked from the root, one
 * component at a time through directory descriptors, and no symbolic link is ever followed: what
 * another process swaps in meanwhile cannot lead outside.
 */
export class RootedDirectory {
  #root: number | undefined
  /** Least recently used first. */
  readonly #open = new Map<Name, number>()
  #lastPath: Name | undefined
  #lastFd = -1

  readonly #maxOpen: number

  /**
   * `path` itself is trusted, links and all. Besides the root, at most `maxOpen` (two or more)
   * directories are kept open. @throws when it is not a directory
   */
  constructor(path: string, maxOpen: number = MAX_OPEN) {
    this.#root = openSync(path, OPEN_ROOT)
    this.#maxOpen = maxOpen
  }

  /** A descriptor of the directory at `path`, valid until the next call; `undefined` when none. */
  directory(path: Name): number | undefined {
    if (path === '') return this.#rootFd()
    if (path === this.#lastPath) return this.#lastFd
    const cached = this.#open.get(path)
    if (cached !== undefined) {
      this.#open.delete(path)
      this.#open.set(path, cached)
      return this.#setLast(path, cached)
    }
    return this.#openFrom(path)
  }

  /** Opens `path` from its nearest open ancestor down; not recursive, because paths may be deep. */
  #openFrom(path: Name): number | undefined {
    const ancestor = this.#nearestOpen(path)
    let fd = (ancestor === '' ? undefined : this.#open.get(ancestor)) ?? this.#rootFd()
    const names = (ancestor === '' ? path : path.slice(ancestor.length + 1)).split('/')
    let end = ancestor.length
    for (const [i, name] of names.entries()) {
      end += name.length + (end === 0 ? 0 : 1)
      // Far more than can be kept: to name them all takes a time that grows with the square.
      const isPassed = i > 0 && names.length - i >= this.#maxOpen
      let next: number | undefined
      try {
        next = openIfThere(fd, name)
      } finally {
        if (isPassed) closeSync(fd)
      }
      if (next === undefined) return undefined
      fd = next
      if (names.length - i <= this.#maxOpen) this.#keep(path.slice(0, end) as Name, fd)
    }
    return this.#setLast(path, fd)
  }

  /** The root is open. */
  #nearestOpen(path: Name): Name {
    const parent = parentOf(path)
    if (this.#open.has(parent)) return parent
    let nearest = '' as Name
    for (const open of this.#open.keys()) {
      if (open.length > nearest.length && path.startsWith(open) && path[open.length] === '/') {
        nearest = open
      }
    }
    return nearest
  }

  #keep(path: Name, fd: number): void {
    this.#open.set(path, fd)
    // The newest stays: the caller is about to use it.
    if (this.#open.size > this.#maxOpen) this.#closeOldest()
  }

  #closeOldest(): void {
    for (const [path, fd] of this.#open) {
      this.#drop(path, fd)
      return
    }
  }

  #drop(path: Name, fd: number): void {
    this.#open.delete(path)
    if (path === this.#lastPath) this.#lastPath = undefined
    closeSync(fd)
  }

  #setLast(path: Name, fd: number): number {
    this.#lastPath = path
    this.#lastFd = fd
    return fd
  }

  /**
   * Where system calls find `path` without following a link in any parent; they must not
   * follow the last component. `undefined` when the parent is not a directory. Valid until the
   * next call.
   */
  at(path: Name): string | Buffer | undefined {
    if (path === '') return `/proc/self/fd/${this.#rootFd()}/.`
    const slash = path.lastIndexOf('/')
    const parent = this.directory(path.slice(0, Math.max(slash, 0)) as Name)
    return parent === undefined ? undefined : childPath(parent, path.slice(slash + 1))
  }

  /** Like `at`. @throws {Error} ENOTDIR when the parent is not a directory */
  place(path: Name): string | Buffer {
    const place = this.at(path)
    if (place === undefined) throw notDirectoryError(path)
    return place
  }

  /** What is at `path`, links not followed; `undefined` when there is nothing. */
  lstat(path: Name): Stats | undefined {
    const place = this.at(path)
    return place === undefined ? undefined : lstatSync(place, { throwIfNoEntry: false })
  }

  /** Where system calls find the directory at `path` itself. @throws {Error} ENOTDIR */
  inside(path: Name): string {
    const fd = this.directory(path)
    if (fd === undefined) throw notDirectoryError(path)
    return `/proc/self/fd/${fd}`
  }

  /** A descriptor of the directory at `path` that stays valid until the caller closes it. */
  pin(path: Name): number {
    return openSync(`${this.inside(path)}/.`, OPEN_PLACE)
  }

  /** Closes what is open at and below `path`. Must be called before a directory is removed or renamed. */
  forget(path: Name): void {
    const below = `${path}/`
    for (const [open, fd] of this.#open) {
      if (open === path || open.startsWith(below)) this.#drop(open, fd)
    }
  }

  /** Removes what is at `path`, with everything below. @throws when something cannot be removed */
  remove(path: Name): void {
    this.forget(path)
    const slash = path.lastIndexOf('/')
    const parent = this.directory(path.slice(0, Math.max(slash, 0)) as Name)
    if (parent === undefined) throw notDirectoryError(path)
    removeEntry(parent, path.slice(slash + 1) as Name)
  }

  /** Closes all descriptors. */
  close(): void {
    for (const fd of this.#open.values()) closeSync(fd)
    this.#open.clear()
    this.#lastPath = undefined
    if (this.#root !== undefined) closeSync(this.#root)
    this.#root = undefined
  }

  /** The number of a closed descriptor may by now be that of another file. */
  #rootFd(): number {
    if (this.#root === undefined) throw new Error('the directory is closed')
    return this.#root
  }
}

/** `undefined` where no directory has that name. */
function openIfThere(parent: number, name: string): number | undefined {
  try {
    return openSync(childPath(parent, name), OPEN_PLACE)
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP') return undefined
    throw cause
  }
}

function notDirectoryError(path: Name): Error {
  return Object.assign(new Error(`ENOTDIR: not a directory, '${path}'`), { code: 'ENOTDIR' })
}

import { closeSync, constants, openSync } from 'node:fs'
import { bytesOfName, errnoOf, type Name } from '#core'

/** Linux' O_PATH, which Node does not name: a handle on a directory that needs no read permission. */
const O_PATH = 0o10000000
const FLAGS = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW

const LIMIT = 256

/**
 * Descriptors of the directories below one root. Each is reached from its parent's descriptor with
 * O_NOFOLLOW, one component at a time: whoever replaces a directory by a link meanwhile makes it
 * disappear, and never leads out of the root.
 */
export class DirectoryHandles {
  readonly #root: number
  /** Least recently used first. */
  readonly #open = new Map<Name, number>()
  #lastPath: Name = '' as Name
  #lastHandle: number

  /** Takes over `root`, a descriptor of a directory. */
  constructor(root: number) {
    this.#root = root
    this.#lastHandle = root
  }

  /** `undefined` when `path` is no directory, or is not there. Valid until the next call. */
  find(path: Name): number | undefined {
    if (path === this.#lastPath) return this.#lastHandle
    const handle = path === '' ? this.#root : (this.#touch(path) ?? this.#walk(path))
    if (handle !== undefined) {
      this.#lastPath = path
      this.#lastHandle = handle
    }
    return handle
  }

  close(): void {
    for (const handle of this.#open.values()) closeSync(handle)
    this.#open.clear()
    closeSync(this.#root)
  }

  #touch(path: Name): number | undefined {
    const handle = this.#open.get(path)
    if (handle === undefined) return undefined
    this.#open.delete(path)
    this.#open.set(path, handle)
    return handle
  }

  /** Opens what is missing between the nearest open ancestor and `path`. */
  #walk(path: Name): number | undefined {
    let start = path.length
    let handle: number | undefined
    while (handle === undefined && start > 0) {
      start = Math.max(path.lastIndexOf('/', start - 1), 0)
      handle = start === 0 ? this.#root : this.#touch(path.slice(0, start) as Name)
    }
    let from = start === 0 ? 0 : start + 1
    while (handle !== undefined && from < path.length) {
      const slash = path.indexOf('/', from)
      const end = slash === -1 ? path.length : slash
      handle = openBelow(handle, path.slice(from, end) as Name)
      if (handle !== undefined) this.#keep(path.slice(0, end) as Name, handle)
      from = end + 1
    }
    return handle
  }

  #keep(path: Name, handle: number): void {
    this.#open.set(path, handle)
    if (this.#open.size <= LIMIT) return
    for (const [oldest, old] of this.#open) {
      this.#open.delete(oldest)
      closeSync(old)
      if (oldest === this.#lastPath) {
        this.#lastPath = '' as Name
        this.#lastHandle = this.#root
      }
      break
    }
  }
}

/** Opens a folder on the host, following links. @throws the system's error */
export function openRoot(path: string): number {
  return openSync(path, O_PATH | constants.O_DIRECTORY)
}

/** A path that the kernel resolves from the directory `handle`, for one last component. */
export function pathBelow(handle: number, name: Name): string | Buffer {
  const prefix = `/proc/self/fd/${handle}/`
  return isAscii(name) ? prefix + name : Buffer.concat([Buffer.from(prefix), bytesOfName(name)])
}

function isAscii(name: Name): boolean {
  for (let at = 0; at < name.length; at++) if (name.charCodeAt(at) > 0x7f) return false
  return true
}

function openBelow(handle: number, name: Name): number | undefined {
  try {
    return openSync(pathBelow(handle, name), FLAGS)
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP') return undefined
    throw cause
  }
}

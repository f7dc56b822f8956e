import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  rmdirSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { listXattrs, O_PATH, setFileTimes } from '#builder/linux'
import { errnoOf } from '#core'
import { type Creation, findPlace, findPlaceIfThere, pathOf } from './root-tree.ts'

/** An empty file or directory that was made to mount something on. */
interface Stub {
  readonly parentNames: readonly string[]
  readonly name: string
  readonly kind: Creation['kind']
}

/** A directory that only a stub brought into the writable layer. */
interface CopiedDirectory {
  readonly names: readonly string[]
  readonly stat: BigIntStats
  readonly xattrs: string
}

/**
 * Mount points that the image lacks are made for the step and must not end up in its layer: this
 * remembers them and takes them away again, with every trace that making them left, but nothing
 * that the step itself changed.
 */
export class Stubs {
  readonly #root: number
  readonly #rootDevice: number
  readonly #writable: string | undefined
  readonly #stubs: Stub[] = []
  readonly #copied = new Map<string, CopiedDirectory>()

  /**
   * @param root descriptor of the mounted root
   * @param writable the host directory that takes up what is written to it
   */
  constructor(root: number, writable: string | undefined) {
    this.#root = root
    this.#rootDevice = fstatSync(root).dev
    this.#writable = writable
  }

  /** Makes a stub. What lies in another mount than the root is not part of the layer anyway. */
  create(creation: Creation, make: () => void): void {
    const inRoot = fstatSync(creation.parent).dev === this.#rootDevice
    if (!inRoot || this.#writable === undefined) {
      make()
      return
    }
    this.#rememberCopied(this.#writable, creation.parentNames)
    const parent = pathOf(creation.parent)
    const before = statSync(parent, { bigint: true })
    make()
    setFileTimes(parent, timesOf(before))
    const { parentNames, name, kind } = creation
    this.#stubs.push({ parentNames, name, kind })
  }

  /**
   * Removes what was made, on the host, after the step has ended and its mounts are gone. The
   * writable directory is hostile by then: no link in it is followed.
   */
  remove(): void {
    if (this.#writable === undefined || this.#stubs.length === 0) return
    const base = openSync(this.#writable, O_PATH | constants.O_DIRECTORY)
    try {
      for (const stub of this.#stubs.toReversed()) {
        inDirectory(base, stub.parentNames, (parent) => removeStub(parent, stub))
      }
      const deepestFirst = [...this.#copied.values()].sort(
        (a, b) => b.names.length - a.names.length,
      )
      for (const copied of deepestFirst) {
        const names = copied.names.slice(0, -1)
        inDirectory(base, names, (parent) => removeCopied(parent, copied))
      }
    } finally {
      closeSync(base)
    }
  }

  /** Making a stub in a directory of a lower layer copies it, and all above it, to the upper one. */
  #rememberCopied(writable: string, names: readonly string[]): void {
    for (let length = names.length; length > 0; length--) {
      const ancestor = names.slice(0, length)
      const key = ancestor.join('/')
      if (this.#copied.has(key) || this.#isStub(ancestor) || exists(writable, ancestor)) continue
      const place = findPlace(this.#root, key, { nofollow: true })
      const path = pathOf(place.descriptor)
      const stat = statSync(path, { bigint: true })
      const xattrs = contentXattrs(`${path}/.`)
      this.#copied.set(key, { names: ancestor, stat, xattrs })
      closeSync(place.descriptor)
    }
  }

  #isStub(names: readonly string[]): boolean {
    const path = names.join('/')
    return this.#stubs.some((stub) => [...stub.parentNames, stub.name].join('/') === path)
  }
}

function exists(base: string, names: readonly string[]): boolean {
  const descriptor = openSync(base, O_PATH | constants.O_DIRECTORY)
  try {
    const place = findPlaceIfThere(descriptor, names.join('/'))
    if (place !== undefined) closeSync(place.descriptor)
    return place !== undefined
  } finally {
    closeSync(descriptor)
  }
}

/** Does `action` in a directory, unless the step has made something else of the way there. */
function inDirectory(
  base: number,
  names: readonly string[],
  action: (parent: string) => void,
): void {
  const path = names.join('/')
  const descriptor = openDirectory(base, path)
  if (descriptor === undefined) return
  try {
    const parent = pathOf(descriptor)
    const before = statSync(parent, { bigint: true })
    action(parent)
    setFileTimes(parent, timesOf(before))
  } finally {
    closeSync(descriptor)
  }
}

function openDirectory(base: number, path: string): number | undefined {
  try {
    const place = findPlace(base, path, { nofollow: true })
    if (place.stat.isDirectory()) return place.descriptor
    closeSync(place.descriptor)
  } catch {
    // The step has removed it, or put a link in its place.
  }
  return undefined
}

function removeStub(parent: string, stub: Stub): void {
  const path = `${parent}/${stub.name}`
  try {
    const stat = lstatSync(path)
    if (stub.kind === 'directory' && stat.isDirectory()) rmdirSync(path)
    if (stub.kind === 'file' && stat.isFile() && stat.size === 0) unlinkSync(path)
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno !== 'ENOENT' && errno !== 'ENOTEMPTY') throw cause
  }
}

function removeCopied(parent: string, copied: CopiedDirectory): void {
  const path = `${parent}/${copied.names.at(-1)}`
  try {
    const stat = lstatSync(path, { bigint: true })
    if (!stat.isDirectory() || readdirSync(path).length > 0) return
    const { mode, uid, gid, mtimeNs } = copied.stat
    const same = stat.mode === mode && stat.uid === uid && stat.gid === gid
    if (same && stat.mtimeNs === mtimeNs && contentXattrs(path) === copied.xattrs) rmdirSync(path)
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
  }
}

/** What decides whether two directories are equal; overlayfs adds a note on where a copy is from. */
function contentXattrs(path: string): string {
  const kept = [...listXattrs(path)].filter(([name]) => !/\.overlay\.(origin|impure)$/.test(name))
  return kept
    .map(([name, value]) => `${name}=${value.toString('hex')}`)
    .sort()
    .join(' ')
}

function timesOf(stat: BigIntStats): { readonly atimeNs: bigint; readonly mtimeNs: bigint } {
  return { atimeNs: stat.atimeNs, mtimeNs: stat.mtimeNs }
}

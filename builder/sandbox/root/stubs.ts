import {
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
import { errnoOf, TsbuildError } from '#core'
import { type Creation, descriptorPath, findEntry, findEntryIfThere } from './root-entry.ts'

/** An empty file or directory that was made to mount something on. */
interface Stub {
  readonly parentNames: readonly string[]
  readonly name: string
  readonly kind: Creation['kind']
}

/** A directory that only a stub brought into the writable layer. */
interface CopiedDirectory {
  readonly names: readonly string[]
  readonly mode: bigint
  readonly uid: bigint
  readonly gid: bigint
  readonly mtimeNs: bigint
  readonly xattrs: string
}

/** What was made in a root, as data, so that another thread can take it away. */
export interface StubRecord {
  /** The host directory that takes up what is written to the root; absent when nothing does. */
  readonly writable: string | undefined
  readonly stubs: Stub[]
  readonly copied: CopiedDirectory[]
}

/**
 * Mount points that the image lacks are made for the step and must not end up in its layer. This
 * makes them, and records them with every trace that making them leaves.
 */
export class StubMaker {
  readonly record: StubRecord
  readonly #root: number
  readonly #device: number | undefined
  /** Paths of all that is in the record. */
  readonly #known = new Set<string>()

  /**
   * @param root descriptor of the mounted root
   * @param writable the host directory that takes up what is written to it
   * @param device where stubs are recorded; default: that of the root
   */
  constructor(root: number, writable: string | undefined, device: 'root' | 'any' = 'root') {
    this.record = { writable, stubs: [], copied: [] }
    this.#root = root
    this.#device = device === 'any' ? undefined : fstatSync(root).dev
  }

  /** Makes a stub. What lies in another mount than the root is not part of the layer anyway. */
  create(creation: Creation, make: () => void): void {
    const { writable, stubs } = this.record
    const isElsewhere =
      this.#device !== undefined && fstatSync(creation.parent).dev !== this.#device
    if (writable === undefined || isElsewhere) {
      make()
      return
    }
    this.#recordCopied(writable, creation.parentNames)
    const parent = descriptorPath(creation.parent)
    const before = statSync(parent, { bigint: true })
    make()
    setFileTimes(parent, before)
    const { parentNames, name, kind } = creation
    stubs.push({ parentNames, name, kind })
    this.#known.add([...parentNames, name].join('/'))
  }

  /**
   * Records a directory at the top of the root that only the layer of mount points has. One that the step
   * changes, and leaves empty, is of no layer.
   */
  recordBelow(name: string): void {
    this.record.stubs.push({ parentNames: [], name, kind: 'directory' })
  }

  /** Making a stub in a directory of a lower layer copies it, and all above it, to the upper one. */
  #recordCopied(writable: string, names: readonly string[]): void {
    for (let length = names.length; length > 0; length--) {
      const ancestor = names.slice(0, length)
      const ancestorPath = ancestor.join('/')
      // Then so is all above it.
      if (this.#known.has(ancestorPath) || exists(writable, ancestor)) return
      const entry = findEntry(this.#root, ancestorPath, { nofollow: true })
      const path = descriptorPath(entry.descriptor)
      const { mode, uid, gid, mtimeNs } = statSync(path, { bigint: true })
      const xattrs = contentXattrs(`${path}/.`)
      this.record.copied.push({ names: ancestor, mode, uid, gid, mtimeNs, xattrs })
      this.#known.add(ancestorPath)
      closeSync(entry.descriptor)
    }
  }
}

/**
 * Removes what was made, on the host, after the step has ended and its mounts are released; nothing that
 * the step itself changed. The writable directory is untrusted by then: no link in it is followed.
 */
export function removeStubs(record: StubRecord): void {
  const { writable, stubs, copied } = record
  if (writable === undefined || stubs.length === 0) return
  const base = openSync(writable, O_PATH | constants.O_DIRECTORY)
  try {
    for (const stub of stubs.toReversed()) {
      inDirectory(base, stub.parentNames, (parent) => removeStub(parent, stub))
    }
    const deepestFirst = copied.toSorted((a, b) => b.names.length - a.names.length)
    for (const directory of deepestFirst) {
      const above = directory.names.slice(0, -1)
      inDirectory(base, above, (parent) => removeCopied(parent, directory))
    }
  } finally {
    closeSync(base)
  }
}

function exists(base: string, names: readonly string[]): boolean {
  const descriptor = openSync(base, O_PATH | constants.O_DIRECTORY)
  try {
    const entry = findEntryIfThere(descriptor, names.join('/'))
    if (entry !== undefined) closeSync(entry.descriptor)
    return entry !== undefined
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
    const parent = descriptorPath(descriptor)
    const before = statSync(parent, { bigint: true })
    action(parent)
    setFileTimes(parent, before)
  } finally {
    closeSync(descriptor)
  }
}

function openDirectory(base: number, path: string): number | undefined {
  try {
    const entry = findEntry(base, path, { nofollow: true })
    if (entry.stat.isDirectory()) return entry.descriptor
    closeSync(entry.descriptor)
  } catch (cause) {
    const errno = cause instanceof TsbuildError ? errnoOf(cause.cause) : undefined
    // The step has removed it, or put something else in its place.
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR' && errno !== 'ELOOP') throw cause
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
    const same = (['mode', 'uid', 'gid', 'mtimeNs'] as const).every(
      (field) => stat[field] === copied[field],
    )
    if (same && contentXattrs(path) === copied.xattrs) rmdirSync(path)
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
  }
}

/** What decides whether two directories are equal; overlayfs adds where a copy is from. */
function contentXattrs(path: string): string {
  const kept = [...listXattrs(path)].filter(([name]) => !/\.overlay\.(origin|impure)$/.test(name))
  return kept
    .map(([name, value]) => `${name}=${value.toString('hex')}`)
    .sort()
    .join(' ')
}

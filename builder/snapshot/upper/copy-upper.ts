import {
  type BigIntStats,
  chmodSync,
  closeSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs'
import {
  childPath,
  fileStatOf,
  getXattr,
  makeNode,
  makeWhiteout,
  opaqueXattr,
  RootedDirectory,
  setEntryTimes,
  setXattr,
} from '#builder/linux'
import { checkpoint, ioError, joinName, type Name, textOfName } from '#core'
import type { UpperCopy } from '../snapshotter.ts'
import { copyContent } from './copy-file.ts'
import { copyXattrs } from './xattrs.ts'

/**
 * Copies a directory in overlay form to another file system, with everything that a layer can have:
 * owners, modes, times to the nanosecond, attributes, links, holes, whiteouts and opaque marks. Sockets
 * are left out, as layers have none.
 * @throws {TsbuildError} IO_FAILED naming the file, NO_SPACE, PERMISSION_DENIED, CANCELLED
 */
export function copyUpper({ from, to }: UpperCopy): void {
  mkdirSync(to, 0o700)
  const source = new RootedDirectory(from)
  try {
    const target = new RootedDirectory(to)
    try {
      new UpperCopier(source, target).copy()
    } finally {
      target.close()
    }
  } finally {
    source.close()
  }
}

class UpperCopier {
  readonly #from: RootedDirectory
  readonly #to: RootedDirectory
  /** The first name of every file that has several, by inode. */
  readonly #links = new Map<bigint, Name>()

  constructor(from: RootedDirectory, to: RootedDirectory) {
    this.#from = from
    this.#to = to
  }

  copy(): void {
    const found: Name[] = ['' as Name]
    // The list grows while it is walked.
    for (const directory of found) found.push(...this.#copyEntries(directory))
    // Deepest first: making files inside changes a directory's times.
    for (const directory of found.reverse()) {
      this.#doing(directory, () => this.#finish(directory))
    }
  }

  /** @returns the directories among them */
  #copyEntries(directory: Name): readonly Name[] {
    const names = readdirSync(this.#from.inside(directory), 'latin1') as Name[]
    return names.flatMap((name) => {
      checkpoint()
      const path = joinName(directory, name)
      return this.#doing(path, () => this.#copyEntry(path)) ? [path] : []
    })
  }

  #doing<T>(path: Name, action: () => T): T {
    try {
      return action()
    } catch (cause) {
      throw ioError(`copy ${JSON.stringify(textOfName(path))}`, cause)
    }
  }

  /** @returns whether it is a directory */
  #copyEntry(path: Name): boolean {
    const from = this.#from.place(path)
    const stat = lstatSync(from, { bigint: true })
    if (stat.isDirectory()) {
      mkdirSync(this.#to.place(path), 0o700)
      return true
    }
    const first = stat.nlink > 1n ? this.#links.get(stat.ino) : undefined
    if (first !== undefined) this.#link(first, path)
    else if (!stat.isSocket()) this.#make(path, from, stat)
    return false
  }

  #make(path: Name, from: Buffer | string, stat: BigIntStats): void {
    if (stat.nlink > 1n) this.#links.set(stat.ino, path)
    const to = this.#to.place(path)
    if (stat.isCharacterDevice() && stat.rdev === 0n) {
      makeWhiteout(to)
      return
    }
    if (stat.isFile()) copyContent(from, to)
    else if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from, 'buffer'), to)
    else makeSpecial(from, to)
    setAttributes(from, to, stat)
  }

  #link(first: Name, path: Name): void {
    const slash = first.lastIndexOf('/')
    const parent = this.#to.pin(first.slice(0, Math.max(slash, 0)) as Name)
    try {
      linkSync(childPath(parent, first.slice(slash + 1)), this.#to.place(path))
    } finally {
      closeSync(parent)
    }
  }

  #finish(directory: Name): void {
    const from = this.#from.place(directory)
    const to = this.#to.place(directory)
    const opaque = getXattr(from, opaqueXattr())
    if (opaque !== undefined) setXattr(to, opaqueXattr(), opaque)
    setAttributes(from, to, lstatSync(from, { bigint: true }))
  }
}

function makeSpecial(from: Buffer | string, to: Buffer | string): void {
  const { type, mode, major, minor } = fileStatOf(lstatSync(from), { place: from })
  if (type === 'file' || type === 'directory' || type === 'symlink') throw new Error(`a ${type}`)
  makeNode(to, type, { mode, major, minor })
}

/** The owner first: changing it clears set-uid bits and capabilities. */
function setAttributes(from: Buffer | string, to: Buffer | string, stat: BigIntStats): void {
  lchownSync(to, Number(stat.uid), Number(stat.gid))
  if (!stat.isSymbolicLink()) chmodSync(to, Number(stat.mode) & 0o7777)
  copyXattrs(from, to)
  setEntryTimes(to, stat)
}

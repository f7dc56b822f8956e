/**
 * Where there is one user id only, every file of a layer's directory belongs to it. The layer's owners
 * are kept in a file beside the directory then, so that copying, packing and digesting give the same
 * result as on a machine with many ids.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import {
  addOwnedFile,
  errnoOf,
  type FileStat,
  ioError,
  type Name,
  NO_OWNED_FILES,
  type OwnedFiles,
  ownersFileOf,
} from '#core'

/** The owner of a file as its layer has it. */
export type KeptOwner = Pick<FileStat, 'uid' | 'gid' | 'isOwnerPresumed'>

/** `uid:gid`, a question mark where it is presumed, and the path; a NUL ends each. */
const RECORD = /^(\d+):(\d+)(\??) (.*)$/s

/** The kept owners of one directory, by path. */
export class KeptOwners {
  readonly #owners: Map<Name, KeptOwner>

  constructor(owners: Iterable<readonly [Name, KeptOwner]> = []) {
    this.#owners = new Map(owners)
  }

  /** Reads those of a directory; `undefined` where its files have their owners themselves. */
  static of(directory: string): KeptOwners | undefined {
    const text = readIfThere(ownersFileOf(directory))
    if (text === undefined) return undefined
    // A damaged record is skipped: the digest of the directory shows it.
    return new KeptOwners(text.split('\0').flatMap((record) => parse(record)))
  }

  get(path: Name): KeptOwner | undefined {
    return this.#owners.get(path)
  }

  set(path: Name, { uid, gid, isOwnerPresumed }: KeptOwner): void {
    this.#owners.set(path, { uid, gid, ...(isOwnerPresumed === true ? { isOwnerPresumed } : {}) })
  }

  delete(path: Name): void {
    this.#owners.delete(path)
  }

  /** Removes `path` and everything below it. */
  deleteTree(path: Name): void {
    const below = `${path}/`
    for (const known of this.#owners.keys()) {
      if (known === path || known.startsWith(below)) this.#owners.delete(known)
    }
  }

  get isEmpty(): boolean {
    return this.#owners.size === 0
  }

  /** All owners, sorted by path. */
  entries(): Iterable<readonly [Name, KeptOwner]> {
    return [...this.#owners].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** Writes them beside the directory. */
  save(directory: string): void {
    const path = ownersFileOf(directory)
    try {
      writeFileSync(path, this.#text(), 'latin1')
    } catch (cause) {
      throw ioError(`write ${path}`, cause)
    }
  }

  #text(): string {
    const records = Array.from(this.entries(), ([path, { uid, gid, isOwnerPresumed }]) => {
      return `${uid}:${gid}${isOwnerPresumed === true ? '?' : ''} ${path}\0`
    })
    return records.join('')
  }
}

/** Whether any of these directories has owners beside it. */
export function hasOwnersBeside(directories: readonly string[]): boolean {
  return directories.some((directory) => existsSync(ownersFileOf(directory)))
}

/**
 * The owners that are kept beside directories, or those of them that are presumed.
 * @returns `undefined` when there are none
 */
export function ownersBeside(
  directories: readonly string[],
  which: 'all' | 'presumed',
): OwnedFiles | undefined {
  let files = NO_OWNED_FILES
  for (const directory of directories) {
    for (const [path, owner] of KeptOwners.of(directory)?.entries() ?? []) {
      if (which === 'presumed' && owner.isOwnerPresumed !== true) continue
      files = addOwnedFile(files, path, owner)
    }
  }
  return files.count === 0 ? undefined : files
}

function parse(record: string): readonly (readonly [Name, KeptOwner])[] {
  const [, uid, gid, mark, path] = RECORD.exec(record) ?? []
  if (path === undefined) return []
  const ids = { uid: Number(uid), gid: Number(gid) }
  return [[path as Name, mark === '?' ? { ...ids, isOwnerPresumed: true } : ids]]
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw ioError(`read ${path}`, cause)
  }
}

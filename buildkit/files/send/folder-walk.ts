import { constants, readlinkSync } from 'node:fs'
import {
  deviceNumbers,
  fileStatOf,
  listXattrs,
  type RootedDirectory,
  type ScannedEntries,
} from '#builder/linux'
import type { FileStat } from '#buildkit/messages'
import { joinName, type Name } from '#core'
import { goFileMode } from '../entries/go-file-mode.ts'
import { FolderLister, modifiedAt } from '../entries/listed-folder.ts'

/** Of a Mac, and of overlays: they mean something here only. */
const OWN_XATTRS = /^(?:com\.apple\.|(?:trusted|user)\.overlay\.)/

interface WalkedFolder {
  readonly path: Name
  readonly entries: ScannedEntries
  /** Sorted the other way round: the next one is the last. */
  readonly names: Name[]
}

/** An entry as it is sent. */
export interface WalkedEntry {
  readonly stat: FileStat
  /** A peer may ask for its content. */
  readonly isRequestable: boolean
  /** It has a content: sockets go as files that have none. */
  readonly hasContent: boolean
}

/**
 * All entries below a folder, in the order and with the facts of fsutil: folders before what is in them, names by their
 * bytes, a later name of the same file as a link to the first. Spec: fsutil, fs.go and stat_unix.go
 */
export class FolderWalk {
  readonly #root: RootedDirectory
  readonly #lister: FolderLister
  readonly #firstNames = new Map<string, Name>()

  constructor(root: RootedDirectory) {
    this.#root = root
    this.#lister = new FolderLister(root)
  }

  /** @throws as the system calls fail */
  *entries(): Generator<WalkedEntry, void, undefined> {
    const stack = [this.#open('' as Name)]
    for (let folder = stack.at(-1); folder !== undefined; folder = stack.at(-1)) {
      const name = folder.names.pop()
      if (name === undefined) {
        stack.pop()
        continue
      }
      const path = joinName(folder.path, name)
      const { entry, isFolder } = this.#entry(path, name, folder.entries)
      yield entry
      if (isFolder) stack.push(this.#open(path))
    }
  }

  #open(path: Name): WalkedFolder {
    const entries = this.#lister.list(path)
    return { path, entries, names: entries.names().sort().reverse() }
  }

  #entry(
    path: Name,
    name: Name,
    entries: ScannedEntries,
  ): { readonly entry: WalkedEntry; readonly isFolder: boolean } {
    const facts = entries.factsOf(name)
    if (facts === undefined) throw new Error('what is listed has facts')
    const place = this.#root.place(path)
    const kind = facts.mode & constants.S_IFMT
    const isDevice = kind === constants.S_IFBLK || kind === constants.S_IFCHR
    const { major, minor } = isDevice ? deviceNumbers(facts.rdev) : NO_DEVICE
    const isFolder = kind === constants.S_IFDIR
    const isLink = kind === constants.S_IFLNK
    const { inode } = fileStatOf(facts, { place })
    // As fsutil: archives have no sockets.
    const isFile = kind === constants.S_IFREG || kind === constants.S_IFSOCK
    const mode = kind === constants.S_IFSOCK ? facts.mode & 0o7777 : facts.mode
    const stat: FileStat = {
      path,
      mode: goFileMode(isFile ? mode | constants.S_IFREG : mode),
      ...{ uid: facts.uid, gid: facts.gid, size: isFolder ? 0 : facts.size },
      modTime: modifiedAt(entries, name),
      linkname: isLink ? (readlinkSync(place, 'latin1') as Name) : this.#firstName(inode, path),
      ...{ devmajor: major, devminor: minor },
      xattrs: xattrsOf(place),
    }
    const hasContent = kind === constants.S_IFREG
    return { entry: { stat, isRequestable: isFile, hasContent }, isFolder }
  }

  /** Empty where it is the first one itself. */
  #firstName(inode: string, path: Name): Name {
    if (inode === '') return '' as Name
    const first = this.#firstNames.get(inode)
    if (first === undefined) this.#firstNames.set(inode, path)
    return first ?? ('' as Name)
  }
}

const NO_DEVICE = { major: 0, minor: 0 } as const

function xattrsOf(place: string | Buffer): ReadonlyMap<string, Buffer> {
  const all = listXattrs(place)
  for (const name of all.keys()) if (OWN_XATTRS.test(name)) all.delete(name)
  return all
}

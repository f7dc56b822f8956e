import { constants } from 'node:fs'
import { fileStatOf, type ScannedEntries } from '#builder/linux'
import { checkpoint, type Name } from '#core'
import { FolderLister, modifiedAt } from '../entries/listed-folder.ts'
import type { FolderDisk } from './folder-disk.ts'
import type { MemoryBound } from './memory-bound.ts'
import { entryError, type ReceivedEntry } from './received-entry.ts'

/** What is at a path before its turn. */
export interface FoundFile {
  readonly kind: number
  readonly mode: number
  readonly size: number
  readonly modTime: bigint
  /** Number of the device, as `deviceNumbers` takes it. */
  readonly device: number
  /** The same for all names of one file; empty where it has one only. */
  readonly inode: string
}

/** A folder whose entries are being sent. */
interface OpenFolder {
  readonly path: Name
  /** Absent: the root, which is ours. */
  readonly entry: ReceivedEntry | undefined
  /** What was there; absent: nothing. */
  readonly entries: ScannedEntries | undefined
  /** The names of it, sorted. */
  readonly names: readonly Name[]
  /** How many of them had their turn. */
  passed: number
  /** The name that was sent last. */
  last: Name
  isChanged: boolean
}

/** Bytes of a folder that is finished later, besides its path. */
const FOLDER_BYTES = 400

/**
 * The walk of the peer, beside what is on the disk: both are in the same order, so what is passed over was not named, and is
 * removed at once. An entry is taken only in a folder that was sent before it and is still open: nothing can be made
 * below a link or a file.
 */
export class OpenFolders {
  readonly #disk: FolderDisk
  readonly #bound: MemoryBound
  readonly #lister: FolderLister
  readonly #stack: OpenFolder[]
  /** Folders that are to be finished, those in them first. */
  readonly #left: ReceivedEntry[] = []

  constructor(disk: FolderDisk, bound: MemoryBound) {
    this.#disk = disk
    this.#bound = bound
    this.#lister = new FolderLister(disk.root)
    this.#stack = [openFolder('' as Name, this.#lister.list('' as Name))]
  }

  /**
   * Comes to the place of an entry.
   * @returns what is there
   * @throws {TsbuildError} USAGE when it does not follow the one before it
   */
  enter({ path, parent, name }: ReceivedEntry): FoundFile | undefined {
    const depth = this.#stack.findLastIndex((open) => open.path === parent)
    const folder = this.#stack[depth]
    if (folder === undefined) throw entryError(path, 'it is in no folder that was just sent')
    if (name <= folder.last) throw entryError(path, 'out of order, or twice')
    this.#leaveTo(depth)
    folder.last = name
    this.#removePassed(folder, name)
    if (folder.names[folder.passed] !== name) return undefined
    folder.passed += 1
    return this.#found(folder.entries, path, name)
  }

  /** Removes what is at the place of the entry, which will be made. */
  clear(path: Name, found: FoundFile | undefined): void {
    if (found !== undefined) this.#disk.remove(path)
    this.#top.isChanged = true
  }

  /** Opens the entry, which is a folder. */
  open(entry: ReceivedEntry, found: FoundFile | undefined): void {
    if (found?.kind !== constants.S_IFDIR) {
      this.clear(entry.path, found)
      this.#disk.makeFolder(entry.path)
      this.#stack.push({ ...openFolder(entry.path), entry, isChanged: true })
      return
    }
    const isOpened = this.#disk.openUp(entry.path, found.mode)
    const isOther = found.mode !== entry.mode || found.modTime !== entry.modTime
    const opened = openFolder(entry.path, this.#lister.list(entry.path))
    this.#stack.push({ ...opened, entry, isChanged: isOpened || isOther })
  }

  /** Comes to the end of the walk. */
  leaveAll(): void {
    this.#leaveTo(0)
    this.#removePassed(this.#top, undefined)
  }

  /** Sets what folders are to be, when nothing will be made in them any more. */
  finish(): void {
    for (const entry of this.#left) {
      checkpoint()
      this.#disk.finishFolder(entry)
    }
  }

  get #top(): OpenFolder {
    const top = this.#stack.at(-1)
    if (top === undefined) throw new Error('the root stays open')
    return top
  }

  #leaveTo(depth: number): void {
    while (this.#stack.length > depth + 1) {
      const folder = this.#stack.pop()
      if (folder === undefined) return
      this.#removePassed(folder, undefined)
      if (folder.entry === undefined || !folder.isChanged) continue
      this.#bound.add(folder.path.length + FOLDER_BYTES)
      this.#left.push(folder.entry)
    }
  }

  /** Removes what comes before a name, or all that is left. */
  #removePassed(folder: OpenFolder, before: Name | undefined): void {
    const { names, path } = folder
    for (;;) {
      const name = names[folder.passed]
      if (name === undefined || (before !== undefined && name >= before)) return
      checkpoint()
      folder.isChanged = true
      this.#disk.remove((path === '' ? name : `${path}/${name}`) as Name)
      folder.passed += 1
    }
  }

  #found(entries: ScannedEntries | undefined, path: Name, name: Name): FoundFile | undefined {
    const facts = entries?.factsOf(name)
    if (entries === undefined || facts === undefined) return undefined
    const { mode, size, nlink, rdev } = facts
    const kind = mode & constants.S_IFMT
    const hasNames = nlink > 1 && kind !== constants.S_IFDIR
    return {
      ...{ kind, mode: mode & 0o7777, size, modTime: modifiedAt(entries, name), device: rdev },
      inode: hasNames ? fileStatOf(facts, { place: this.#disk.root.place(path) }).inode : '',
    }
  }
}

function openFolder(path: Name, entries?: ScannedEntries): OpenFolder {
  const names = entries?.names().sort() ?? []
  return {
    ...{ path, entries, names, entry: undefined },
    passed: 0,
    last: '' as Name,
    isChanged: false,
  }
}

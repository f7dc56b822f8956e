import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
} from 'node:fs'
import { rawTree, treeChanges, writeLayer } from '#builder/layer'
import { childPath, O_PATH, RootedDirectory } from '#builder/linux'
import { type Change, type EntryChange, errnoOf, type FileStat, type Name } from '#core'
import { removeTreeSync } from '#disk'
import { descriptorPath } from '../../root/root-entry.ts'

/** Something of the store that a step has for a while. */
export interface Lent {
  /** Of what the step has. */
  readonly descriptor: number
  /** Takes back what the step left, unless it was read-only. */
  comeBack(): void
}

/** How a directory is lent. */
interface LendOptions {
  /** What the step writes is dropped. */
  readonly readonly: boolean
  /** A directory on the file system of the source. */
  readonly temporary: string
}

/** Milliseconds after which the kernel's clock has moved on. */
const TICK = 10

/**
 * A directory of the store whose content a step has for a while. It is moved where both are in one
 * mount; a build that is killed then leaves an empty directory. Elsewhere it is copied, and only what the
 * step has changed comes back, each file at once: what others wrote meanwhile stays.
 */
export class LentDirectory implements Lent {
  readonly descriptor: number
  readonly #source: number
  readonly #options: LendOptions
  /** What tells a copy that was not changed, by path; `undefined`: the content was moved. */
  readonly #copies: ReadonlyMap<Name, string> | undefined

  /** @param source descriptor @param place where nothing is */
  constructor(source: number, place: string | Buffer, options: LendOptions) {
    mkdirSync(place, 0o700)
    this.descriptor = openSync(place, O_PATH | constants.O_DIRECTORY)
    this.#source = source
    this.#options = options
    try {
      const isMoved = !options.readonly && moveContent(source, this.descriptor)
      this.#copies = isMoved ? undefined : copyContent(source, this.descriptor)
      giveAttributes(source, this.descriptor)
    } catch (cause) {
      closeSync(this.descriptor)
      throw cause
    }
  }

  comeBack(): void {
    const { readonly, temporary } = this.#options
    const { descriptor } = this
    try {
      if (readonly) return
      giveAttributes(descriptor, this.#source)
      // Of an empty directory it shows only now whether its content can be moved.
      if (this.#copies === undefined && moveContent(descriptor, this.#source)) {
        // The place is empty now, and in the same mount.
        partFromOutside(this.#source, descriptorPath(descriptor))
        return
      }
      const copies = this.#copies ?? new Map()
      returnChanges(copies, { from: descriptor, to: this.#source, temporary })
    } finally {
      closeSync(descriptor)
    }
  }
}

function giveAttributes(from: number, to: number): void {
  const { uid, gid, mode } = fstatSync(from)
  const path = descriptorPath(to)
  chownSync(path, uid, gid)
  chmodSync(path, mode & 0o7777)
}

/** @returns false when nothing was moved, because these are two mounts */
function moveContent(from: number, to: number): boolean {
  const moved: Name[] = []
  for (const name of readdirSync(descriptorPath(from), 'latin1') as Name[]) {
    try {
      renameSync(childPath(from, name), childPath(to, name))
      moved.push(name)
    } catch (cause) {
      for (const one of moved) renameSync(childPath(to, one), childPath(from, one))
      if (errnoOf(cause) !== 'EXDEV') throw cause
      return false
    }
  }
  return true
}

function copyContent(source: number, target: number): ReadonlyMap<Name, string> {
  writeTree(changesIn(source), descriptorPath(target))
  const copies = new Map<Name, string>()
  for (const { path, stat } of changesIn(target)) copies.set(path, versionOf(stat))
  // What is changed from now on has another time.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TICK)
  return copies
}

function writeTree(changes: Iterable<Change>, directory: string): void {
  writeLayer(changes, { directory })
}

function* changesIn(directory: number): Generator<EntryChange> {
  const tree = rawTree(descriptorPath(directory))
  try {
    for (const change of treeChanges(tree)) if (change.kind === 'entry') yield change
  } finally {
    tree.close()
  }
}

/** Of a directory only its being one counts. */
function versionOf({ type, identity }: FileStat): string {
  if (type === 'directory') return type
  return `${identity?.ino}:${identity?.size}:${identity?.mtimeMs}:${identity?.ctimeMs}`
}

interface Return {
  readonly from: number
  readonly to: number
  readonly temporary: string
}

function returnChanges(copies: ReadonlyMap<Name, string>, { from, to, temporary }: Return): void {
  const left = new Set(copies.keys())
  const isChanged = ({ path, stat }: EntryChange): boolean => {
    left.delete(path)
    return copies.get(path) !== versionOf(stat)
  }
  bringCopies(isChanged, { from, to, temporary })
  const kept = new RootedDirectory(descriptorPath(to))
  try {
    for (const path of [...left].reverse()) remove(path, kept)
  } finally {
    kept.close()
  }
}

/** A step that linked a file of the store to a place of its own could change it there later. */
function partFromOutside(directory: number, temporary: string): void {
  const inside = new Map<string, number>()
  let outside = 0
  for (const { stat } of changesIn(directory)) {
    if (stat.type !== 'file' || stat.nlink < 2) continue
    const count = (inside.get(stat.inode) ?? 0) + 1
    inside.set(stat.inode, count)
    // All of its names, once the last one was found.
    outside += count === 1 ? stat.nlink - 1 : -1
  }
  if (outside === 0) return
  const isShared = ({ stat }: EntryChange): boolean => {
    return stat.nlink > (inside.get(stat.inode) ?? stat.nlink)
  }
  bringCopies(isShared, { from: directory, to: directory, temporary })
}

/** Replaces what is chosen by copies, each at once. */
function bringCopies(
  isChosen: (entry: EntryChange) => boolean,
  { from, to, temporary }: Return,
): void {
  const changed: EntryChange[] = []
  const choose = function* (): Generator<EntryChange> {
    for (const change of changesIn(from)) {
      const isCopied = isChosen(change)
      if (isCopied) changed.push(change)
      if (isCopied || change.stat.type === 'directory') yield change
    }
  }
  const scratch = mkdtempSync(`${temporary}/returned-`)
  writeTree(choose(), scratch)
  const made = new RootedDirectory(scratch)
  const kept = new RootedDirectory(descriptorPath(to))
  try {
    for (const change of changed) replace(change, { made, kept })
  } finally {
    made.close()
    kept.close()
  }
  removeTreeSync(scratch)
}

interface Trees {
  readonly made: RootedDirectory
  readonly kept: RootedDirectory
}

function replace({ path, stat }: EntryChange, { made, kept }: Trees): void {
  const before = kept.lstat(path)
  if (stat.type !== 'directory') {
    if (before?.isDirectory()) kept.remove(path)
    renameSync(made.place(path), kept.place(path))
    return
  }
  if (before !== undefined && !before.isDirectory()) kept.remove(path)
  if (before?.isDirectory() !== true) mkdirSync(kept.place(path), 0o700)
  chownSync(kept.inside(path), stat.uid, stat.gid)
  chmodSync(kept.inside(path), stat.mode)
}

/** Another step may have put something into a directory that this one has removed. */
function remove(path: Name, kept: RootedDirectory): void {
  const stat = kept.lstat(path)
  if (stat === undefined) return
  if (!stat.isDirectory()) {
    kept.remove(path)
    return
  }
  kept.forget(path)
  try {
    rmdirSync(kept.place(path))
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOTEMPTY') throw cause
  }
}

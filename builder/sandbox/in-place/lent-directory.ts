import {
  chmodSync,
  chownSync,
  fstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
} from 'node:fs'
import { rawTree, treeChanges, writeLayer } from '#builder/layer'
import { childPath, RootedDirectory } from '#builder/linux'
import { type Change, type EntryChange, errnoOf, type FileStat, type Name } from '#core'
import { removeTreeSync } from '#disk'
import { descriptorPath } from '../root/root-entry.ts'

/** Milliseconds after which the kernel's clock has moved on. */
const TICK = 10

/**
 * A directory of the store whose content a step has for a while. It is moved where both are in one
 * mount; a build that is killed then leaves an empty directory. Elsewhere it is copied, and only what the
 * step has changed comes back, each file at once: what others wrote meanwhile stays.
 */
export class LentDirectory {
  readonly #source: number
  readonly #target: number
  /** What tells a copy that was not changed, by path; `undefined`: the content was moved. */
  readonly #copies: ReadonlyMap<Name, string> | undefined

  readonly #isCopy: boolean

  /** @param source descriptor @param target descriptor of an empty directory */
  constructor(source: number, target: number, { readonly }: { readonly readonly: boolean }) {
    this.#source = source
    this.#target = target
    this.#isCopy = readonly
    giveAttributes(source, target)
    const isMoved = !readonly && moveContent(source, target)
    this.#copies = isMoved ? undefined : copyContent(source, target)
  }

  /**
   * Takes back what the step left, unless it was read-only.
   * @param scratch a path on the file system of the source, where nothing is
   */
  comeBack(scratch: string): void {
    if (this.#isCopy) return
    giveAttributes(this.#target, this.#source)
    if (this.#copies === undefined) moveContent(this.#target, this.#source)
    else returnChanges(this.#copies, { from: this.#target, to: this.#source, scratch })
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
  return isOneMount(from, to)
}

/** Of an empty directory nothing is moved. */
function isOneMount(one: number, other: number): boolean {
  return statSync(descriptorPath(one)).dev === statSync(descriptorPath(other)).dev
}

function copyContent(source: number, target: number): ReadonlyMap<Name, string> {
  const attributes = fstatSync(target)
  writeTree(changesIn(source), descriptorPath(target))
  chownSync(descriptorPath(target), attributes.uid, attributes.gid)
  chmodSync(descriptorPath(target), attributes.mode & 0o7777)
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
  readonly scratch: string
}

function returnChanges(copies: ReadonlyMap<Name, string>, { from, to, scratch }: Return): void {
  const left = new Set(copies.keys())
  const changed: EntryChange[] = []
  const choose = function* (): Generator<EntryChange> {
    for (const change of changesIn(from)) {
      left.delete(change.path)
      const isDirectory = change.stat.type === 'directory'
      const isChanged = copies.get(change.path) !== versionOf(change.stat)
      if (isChanged) changed.push(change)
      if (isChanged || isDirectory) yield change
    }
  }
  mkdirSync(scratch, 0o700)
  writeTree(choose(), scratch)
  const made = new RootedDirectory(scratch)
  const kept = new RootedDirectory(descriptorPath(to))
  try {
    for (const change of changed) replace(change, { made, kept })
    for (const path of [...left].reverse()) remove(path, kept)
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

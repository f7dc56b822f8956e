import { Buffer } from 'node:buffer'
import { closeSync, readSync } from 'node:fs'
import { encodeHeader } from '#builder/layer'
import { dataParts, isSparse } from '#builder/linux'
import { type Ring, RingWriter } from '#builder/threads'
import {
  checkpoint,
  type EntryChange,
  errnoOf,
  type FileStat,
  joinName,
  type Name,
  type Tree,
  TsbuildError,
  textOfName,
} from '#core'

const BLOCK = 512
const END = Buffer.alloc(2 * BLOCK)
/** Of smaller files, asking for holes would cost more than reading them. */
const SPARSE_BYTES = 1 << 20

/** A file of a tree, and its name in an archive. */
export interface ArchivedFile {
  readonly path: Name
  readonly name: Name
  readonly stat: FileStat
}

/**
 * Writes files of a tree as the tar of `docker cp` and `docker export`, in which every name is plain: a layer's marks of
 * deletions have no meaning. The tree may be changed meanwhile: what is gone is left out, a file that grows ends where
 * it ended when it was found.
 */
export class ArchiveWriter {
  readonly #tree: Tree
  readonly #ring: RingWriter
  /** The first name of every file with several names, by inode. */
  readonly #links = new Map<string, Name>()
  #slot: Buffer
  #used = 0

  constructor(tree: Tree, ring: Ring) {
    this.#tree = tree
    this.#ring = new RingWriter(ring)
    this.#slot = this.#ring.slot()
  }

  /** Writes a file, or a directory with everything in it. */
  writeTree(top: ArchivedFile): void {
    this.#writeAll(this.#enter(top))
  }

  /** Writes everything in the tree, but for the root itself. */
  writeRoot(): void {
    this.#writeAll(this.#filesIn('' as Name, ''))
  }

  #writeAll(files: Iterator<ArchivedFile, undefined>): void {
    const stack = [files]
    for (let last = stack.at(-1); last !== undefined; last = stack.at(-1)) {
      const next = last.next()
      if (next.done) stack.pop()
      else stack.push(this.#enter(next.value))
    }
  }

  /** Ends the archive. */
  end(): void {
    this.#append(END)
    this.#pass()
    // The mark of the end takes a slot, too.
    this.#ring.slot()
    this.#ring.end()
  }

  /** Writes one file. @returns what is in it */
  #enter(file: ArchivedFile): Iterator<ArchivedFile, undefined> {
    this.#write(file)
    return file.stat.type === 'directory' ? this.#filesIn(file.path, `${file.name}/`) : NONE
  }

  /** What is in a directory; a name that is gone is not among them. */
  *#filesIn(path: Name, start: string): Generator<ArchivedFile, undefined> {
    for (const child of namesIn(this.#tree, path)) {
      const below = joinName(path, child)
      const stat = this.#tree.lstat(below)
      if (stat !== undefined) yield { path: below, name: `${start}${child}` as Name, stat }
    }
    return undefined
  }

  #write({ path, name, stat }: ArchivedFile): void {
    checkpoint()
    if (stat.type === 'socket') return
    const hardlink = this.#hardlinkOf(name, stat)
    const entry = { kind: 'entry', path: name, stat } as const
    if (hardlink !== undefined) {
      this.#header({ ...entry, hardlink }, 0)
    } else if (stat.type === 'file') {
      this.#writeFile(path, entry)
    } else if (stat.type === 'symlink') {
      const target = ifThere(() => this.#tree.readlink(path))
      if (target !== undefined) this.#header({ ...entry, target }, 0)
    } else {
      this.#header(entry, 0)
    }
  }

  #hardlinkOf(name: Name, { nlink, inode, type }: FileStat): Name | undefined {
    if (nlink < 2 || type === 'directory') return undefined
    const first = this.#links.get(inode)
    if (first === undefined) this.#links.set(inode, name)
    return first
  }

  #writeFile(path: Name, entry: EntryChange): void {
    const file = ifThere(() => this.#tree.openFile(path))
    if (file === undefined) {
      // A later name of it has the content.
      if (entry.stat.nlink > 1) this.#links.delete(entry.stat.inode)
      return
    }
    try {
      const { size } = entry.stat
      const xattrs = ifThere(() => this.#tree.xattrs(path))
      this.#header(xattrs?.size ? { ...entry, xattrs } : entry, size)
      if (size >= SPARSE_BYTES && isSparse(file)) this.#copyParts(file, path, size)
      else this.#copy(file, path, size)
      this.#fill(-size & (BLOCK - 1))
    } finally {
      closeSync(file)
    }
  }

  #copy(file: number, path: Name, size: number, start?: number): void {
    let position = start
    for (let left = size; left > 0; ) {
      const room = this.#room()
      const got = readSync(file, room, 0, Math.min(room.length, left), position ?? null)
      if (got === 0) throw shrunkError(path, left)
      if (position !== undefined) position += got
      this.#used += got
      left -= got
    }
  }

  /** Holes are not read. */
  #copyParts(file: number, path: Name, size: number): void {
    let position = 0
    for (const { start, end } of dataParts(file)) {
      if (start >= size) break
      this.#fill(start - position)
      position = Math.min(end, size)
      this.#copy(file, path, position - start, start)
    }
    this.#fill(size - position)
  }

  #header(entry: EntryChange, size: number): void {
    for (const block of encodeHeader(entry, size)) this.#append(block)
  }

  #append(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const room = this.#room()
      const copied = bytes.copy(room, 0, at)
      this.#used += copied
      at += copied
    }
  }

  /** Adds zeros. */
  #fill(length: number): void {
    for (let left = length; left > 0; ) {
      const room = this.#room()
      const filled = Math.min(room.length, left)
      room.fill(0, 0, filled)
      this.#used += filled
      left -= filled
    }
  }

  /** What is left of the slot, at least one byte. */
  #room(): Buffer {
    if (this.#used === this.#slot.length) {
      this.#pass()
      this.#slot = this.#ring.slot()
    }
    return this.#slot.subarray(this.#used)
  }

  #pass(): void {
    checkpoint()
    this.#ring.pass(this.#used)
    this.#used = 0
  }
}

const NONE: Iterator<ArchivedFile, undefined> = {
  next: () => ({ done: true, value: undefined }),
}

/** Sorted; none where it is no directory any more. */
function namesIn(tree: Tree, path: Name): readonly Name[] {
  return ifThere(() => tree.readdir(path)) ?? []
}

const GONE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ESTALE'])

/** What a call gives; `undefined` where what it is about is gone, or has become something else. */
function ifThere<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch (cause) {
    const isOfTree = cause instanceof TsbuildError && cause.code === 'IO_FAILED'
    if ((isOfTree && cause.cause === undefined) || GONE.has(errnoOf(cause) ?? '')) return undefined
    throw cause
  }
}

function shrunkError(path: Name, missing: number): TsbuildError {
  const name = JSON.stringify(`/${textOfName(path)}`)
  return new TsbuildError(`read ${name}: it shrank by ${missing} bytes while it was read`, {
    code: 'IO_FAILED',
    hint: 'pause the container, or let what writes to the file finish',
  })
}

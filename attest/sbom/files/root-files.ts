import { closeSync, readSync } from 'node:fs'
import { resolveInTree, type StackTree } from '#builder/layer'
import { checkpoint, joinName, type Name, nameOf } from '#core'

/** A file of an image that was met on the way. */
export interface MetFile {
  readonly path: Name
  /** Whether it is a regular file. */
  readonly isFile: () => boolean
}

/**
 * Everything in a tree that is no directory, the names of each directory sorted. Links are not followed.
 */
export function* walkFiles(tree: StackTree): Generator<MetFile> {
  const stack: Name[] = ['' as Name]
  for (let directory = stack.pop(); directory !== undefined; directory = stack.pop()) {
    checkpoint()
    const below: Name[] = []
    for (const { name, isPlainFile } of sorted(tree.list(directory))) {
      const path = joinName(directory, name)
      if (isPlainFile) yield { path, isFile: () => true }
      else {
        const type = tree.lstat(path)?.type
        if (type === 'directory') below.push(path)
        else if (type !== undefined) yield { path, isFile: () => type === 'file' }
      }
    }
    stack.push(...below.reverse())
  }
}

function sorted<T extends { readonly name: Name }>(entries: readonly T[]): readonly T[] {
  return [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Reads files of an image that is not trusted: in bounds, never outside of its tree. */
export class RootFiles {
  readonly tree: StackTree

  constructor(tree: StackTree) {
    this.tree = tree
  }

  /** The text of a file; links are followed in the tree. `undefined` where there is none, or too long a one. */
  text(path: string, limit: number): string | undefined {
    return this.bytes(path, limit)?.toString('utf8')
  }

  /** See `text`. */
  bytes(path: string, limit: number): Buffer | undefined {
    const found = this.find(path)
    return found === undefined ? undefined : this.read(found, limit)
  }

  /** Where the regular file is that a path leads to. */
  find(path: string): Name | undefined {
    const found = resolveInTree(this.tree, nameOf(path), { followLast: true })
    return this.tree.lstat(found)?.type === 'file' ? found : undefined
  }

  /** Names of regular files in a directory; none where there is no such directory. */
  names(path: string): readonly Name[] {
    const folder = resolveInTree(this.tree, nameOf(path), { followLast: true })
    if (this.tree.lstat(folder)?.type !== 'directory') return []
    return this.tree
      .readdir(folder)
      .filter((name) => this.tree.lstat(joinName(folder, name))?.type === 'file')
  }

  /** A whole regular file, unless it has more than `limit` bytes. */
  read(path: Name, limit: number): Buffer | undefined {
    const size = this.tree.lstat(path)?.size ?? 0
    if (size > limit) return undefined
    return this.part(path, { start: 0, length: size })
  }

  /** Bytes of a regular file: fewer where it ends before. */
  part(path: Name, range: { readonly start: number; readonly length: number }): Buffer {
    return this.opened(path, (read) => read(range.start, range.length))
  }

  /** Reads several parts of one regular file, of each what there is of it. */
  opened<R>(path: Name, use: (read: (start: number, length: number) => Buffer) => R): R {
    const size = this.tree.lstat(path)?.size ?? 0
    const descriptor = this.tree.openFile(path)
    try {
      // No more memory than the file has bytes, whatever it says about itself.
      return use((start, length) => {
        return readPart(descriptor, start, Math.max(Math.min(length, size - start), 0))
      })
    } finally {
      closeSync(descriptor)
    }
  }
}

function readPart(descriptor: number, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let done = 0; done < length; ) {
    const count = readSync(descriptor, bytes, done, length - done, start + done)
    if (count === 0) return bytes.subarray(0, done)
    done += count
  }
  return bytes
}

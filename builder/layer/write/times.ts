import { closeSync, lutimesSync, openSync, readdirSync, readSync } from 'node:fs'
import { RootedDirectory } from '#builder/linux'
import {
  type Change,
  checkpoint,
  type DiffId,
  type EntryChange,
  type FileStat,
  ioError,
  joinName,
  type Name,
} from '#core'
import { copyBytes } from '../content/copy-buffer.ts'
import { meaningOf } from '../paths/entry-path.ts'
import type { TarEntry } from '../tar/tar-entry.ts'
import { type TarHandler, TarReader } from '../tar/tar-reader.ts'
import { TarWriter } from '../tar/tar-writer.ts'

/** The change, no newer than `maxMtime` (milliseconds); unchanged when it is absent. */
export function clampChange(change: Change, maxMtime: number | undefined): Change {
  if (maxMtime === undefined) return change
  if (change.kind !== 'entry' || change.stat.mtimeMs <= maxMtime) return change
  return { ...change, stat: { ...change.stat, mtimeMs: maxMtime } }
}

/** The changes, none newer than `maxMtime` (milliseconds); unchanged when it is absent. */
export function clampChanges(
  changes: Iterable<Change>,
  maxMtime: number | undefined,
): Iterable<Change> {
  if (maxMtime === undefined) return changes
  return Iterator.from(changes).map((change) => clampChange(change, maxMtime))
}

/** Makes an overlay-form directory and everything in it no newer than `maxMtime` (milliseconds). */
export function clampDirectory(directory: string, maxMtime: number): void {
  const root = new RootedDirectory(directory)
  try {
    for (const stack: Name[] = ['' as Name]; ; ) {
      const path = stack.pop()
      if (path === undefined) return
      checkpoint()
      const stats = root.lstat(path)
      if (stats === undefined) continue
      if (stats.mtimeMs > maxMtime) lutimesSync(root.place(path), maxMtime / 1000, maxMtime / 1000)
      if (!stats.isDirectory()) continue
      for (const name of readdirSync(root.inside(path), 'latin1')) {
        stack.push(joinName(path, name as Name))
      }
    }
  } catch (cause) {
    throw ioError(`set the times of ${directory}`, cause)
  } finally {
    root.close()
  }
}

const CHUNK = 1 << 19

/**
 * Writes a layer's tar again, with no entry newer than `maxMtime` (milliseconds).
 * @param tar a plain tar as `writeLayer` makes it
 * @param target a file to create
 */
export function clampTar(
  tar: string,
  target: string,
  maxMtime: number,
): { readonly diffId: DiffId; readonly size: number } {
  const from = openSync(tar, 'r')
  try {
    const to = new TarWriter(target)
    try {
      const reader = new TarReader(new Clamper(to, maxMtime))
      const buffer = Buffer.allocUnsafeSlow(CHUNK)
      for (;;) {
        const length = readSync(from, buffer, 0, buffer.length, null)
        if (length === 0) break
        reader.write(buffer.subarray(0, length))
      }
      reader.end()
      const { diffId, size } = to.finish()
      if (diffId === undefined) throw new Error('a tar without a reader has a digest')
      return { diffId, size }
    } finally {
      to.close()
    }
  } catch (cause) {
    throw ioError(`rewrite the times of ${tar}`, cause)
  } finally {
    closeSync(from)
  }
}

class Clamper implements TarHandler {
  readonly #to: TarWriter
  readonly #maxMtime: number
  #size = 0

  constructor(to: TarWriter, maxMtime: number) {
    this.#to = to
    this.#maxMtime = maxMtime
  }

  entry(entry: TarEntry): void {
    this.#size = entry.size
    this.#to.header(clampChange(changeOf(entry), this.#maxMtime), entry.size)
  }

  content(bytes: Buffer): void {
    copyBytes(bytes, this.#to, () => {})
  }

  hole(): void {
    throw new Error('a tar as `writeLayer` makes it has no sparse files')
  }

  end(): void {
    this.#to.pad(this.#size)
  }
}

function changeOf(entry: TarEntry): Change {
  const path = entry.name.replace(/\/$/, '') as Name
  const meaning = meaningOf(path)
  if (meaning.kind === 'opaque' || meaning.kind === 'whiteout') return meaning
  const { type, linkname, xattrs } = entry
  const change: EntryChange = { kind: 'entry', path, stat: statOf(entry), xattrs }
  if (type === 'hardlink') return { ...change, hardlink: linkname }
  return type === 'symlink' ? { ...change, target: linkname } : change
}

function statOf(entry: TarEntry): FileStat {
  const { type, mode, uid, gid, size, mtimeMs, major, minor } = entry
  const fileType = type === 'hardlink' ? 'file' : type
  return { type: fileType, mode, uid, gid, size, mtimeMs, major, minor, inode: '', nlink: 1 }
}

import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { namesIn } from '../filesystem/best-effort.ts'
import type { Layout } from '../filesystem/layout.ts'

/** A blob of the store, or another file that is one of a layer's forms. */
export interface BlobFile {
  readonly path: string
  /** On the disk. */
  readonly bytes: number
  /** Milliseconds since the epoch. */
  readonly usedAt: number
}

/** The blobs of a store by the hex digits of their digests, in parts or as they are. */
export function readBlobFiles({ blobs, parts }: Layout): ReadonlyMap<string, BlobFile> {
  const found = (folder: string, names: readonly string[]) =>
    names.flatMap((name): readonly (readonly [string, BlobFile])[] => {
      const file = fileAt(join(folder, name))
      return file === undefined ? [] : [[name, file]]
    })
  // A blob that is there in both ways is read as it is.
  return new Map([...found(parts, namesIn(parts)), ...found(blobs, readdirSync(blobs))])
}

/** `undefined` when nothing is there. */
export function fileAt(path: string): BlobFile | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  return { path, bytes: (stat.blocks * 512) / stat.nlink, usedAt: stat.mtimeMs }
}

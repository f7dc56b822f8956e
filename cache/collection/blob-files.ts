import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Layout } from '../filesystem/layout.ts'

/** A blob of the store, or another file that is one of a layer's forms. */
export interface BlobFile {
  readonly path: string
  /** On the disk. */
  readonly bytes: number
  /** Milliseconds since the epoch. */
  readonly usedAt: number
}

/** The blobs of a store by the hex digits of their digests. */
export function readBlobFiles({ blobs }: Layout): ReadonlyMap<string, BlobFile> {
  const found = readdirSync(blobs).flatMap((name): readonly (readonly [string, BlobFile])[] => {
    const file = fileAt(join(blobs, name))
    return file === undefined ? [] : [[name, file]]
  })
  return new Map(found)
}

/** `undefined` when nothing is there. */
export function fileAt(path: string): BlobFile | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  return { path, bytes: (stat.blocks * 512) / stat.nlink, usedAt: stat.mtimeMs }
}

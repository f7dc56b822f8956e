import { createHash } from 'node:crypto'
import { closeSync, readSync } from 'node:fs'
import { StackTree } from '#builder/layer'
import { checkpoint, type Digest, textOfName } from '#core'
import { walkFiles } from '../files/root-files.ts'
import type { FoundPackages } from '../package/found-packages.ts'
import { listPackages } from './list-packages.ts'

/** The files of an image: its layers as `stackTree` takes them, topmost first. */
interface ImageFiles {
  readonly lowers: readonly string[]
}

/** Lists the packages of an image. `scratch`: an empty folder. */
export function findPackages({
  lowers,
  scratch,
}: ImageFiles & { readonly scratch: string }): FoundPackages {
  const tree = new StackTree(lowers)
  try {
    return listPackages(tree, scratch)
  } finally {
    tree.close()
  }
}

/** A regular file by its path, without a leading slash. */
interface DigestedFile {
  readonly name: string
  readonly digest: Digest
}

/** Digests the regular files of an image. */
export function digestFiles({ lowers }: ImageFiles): readonly DigestedFile[] {
  const tree = new StackTree(lowers)
  try {
    const files: DigestedFile[] = []
    for (const { path, isFile } of walkFiles(tree)) {
      if (isFile()) files.push({ name: textOfName(path), digest: digestOf(tree.openFile(path)) })
    }
    return files
  } finally {
    tree.close()
  }
}

const CHUNK = 1 << 20

function digestOf(descriptor: number): Digest {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(CHUNK)
  try {
    for (;;) {
      checkpoint()
      const length = readSync(descriptor, chunk)
      if (length === 0) return `sha256:${hash.digest('hex')}` as Digest
      hash.update(chunk.subarray(0, length))
    }
  } finally {
    closeSync(descriptor)
  }
}

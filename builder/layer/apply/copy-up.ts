import { closeSync } from 'node:fs'
import { writeFully } from '#builder/linux'
import type { FileStat, Name, Tree } from '#core'
import { copyFile, scratchBuffer } from '../content/copy-buffer.ts'
import type { DirectoryWriter } from '../overlay/directory-writer.ts'

/** What is at the path below, and where it is copied to. */
export interface CopyUpTarget {
  /** Not of a directory. */
  readonly stat: FileStat
  readonly to: DirectoryWriter
}

/** Copies a file of a lower layer up, as overlayfs does before the file gets another name. */
export function copyUp(lower: Tree, path: Name, { stat, to }: CopyUpTarget): void {
  if (stat.type === 'symlink') to.makeSymlink(path, lower.readlink(path), { stat })
  else if (stat.type === 'character' || stat.type === 'block' || stat.type === 'fifo') {
    to.makeSpecial(path, stat.type, { stat })
  } else copyContentUp(lower, path, { stat, to })
}

function copyContentUp(lower: Tree, path: Name, { stat, to }: CopyUpTarget): void {
  const source = lower.openFile(path)
  const target = to.makeFile(path, stat)
  try {
    copyFile({ fd: source, path, size: stat.size }, scratchBuffer(), (bytes, start, end) => {
      writeFully(target, bytes, start, end)
    })
    to.setFileAttributes(path, target, { stat, xattrs: lower.xattrs(path) })
  } finally {
    closeSync(source)
    closeSync(target)
  }
}

import { checksumFileActions, type FilesInput } from '#builder/files'
import type { Digest } from '#core'
import { type FilesTask, openTrees } from './trees.ts'

/** How much `checksumWithin` may read before it gives up. */
export interface WorkLimit {
  readonly files: number
  readonly bytes: number
}

/** Thrown by `checksumWithin` when there is more to read than its limit. */
export class LimitExceeded extends Error {}

/** Digest of what the actions select. */
export function checksum(task: FilesTask): Digest {
  using trees = openTrees(task)
  return checksumFileActions(task.actions, trees).content
}

/**
 * The same for a thread that has other duties, which must not wait long.
 * @throws {LimitExceeded}
 */
export function checksumWithin(task: FilesTask, limit: WorkLimit): Digest {
  using trees = openTrees(task)
  const read = limited(trees.read, limit)
  return checksumFileActions(task.actions, { ...trees, read }).content
}

function limited(read: FilesInput['read'], limit: WorkLimit): FilesInput['read'] {
  let files = 0
  let bytes = 0
  return (file) => {
    files++
    bytes += file.stat.size
    if (files > limit.files || bytes > limit.bytes) throw new LimitExceeded()
    return read(file)
  }
}

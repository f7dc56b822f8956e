import { checksumFileActions, checksumming, type FilesInput } from '#builder/files'
import { type Digest, digestOf } from '#core'
import { LimitExceeded, type WorkLimit, WorkMeter } from '../limits/work-meter.ts'
import { type FilesTask, openSelected, openTrees } from './trees.ts'

/** Digest of what the actions select. */
export function checksum(task: FilesTask): Digest {
  using trees = openTrees(task)
  return checksumFileActions(task.actions, trees).content
}

/** Milliseconds after which a thread with other duties turns to them. */
const SLICE = 8

/**
 * The same for a thread that has other duties, which it turns to in between. What has a stored digest counts
 * as looked at, not as read.
 * @returns `undefined` when it is more than `limit`
 */
export async function checksumWithin(
  task: FilesTask,
  limit: WorkLimit,
): Promise<Digest | undefined> {
  using trees = openTrees(task, new WorkMeter(limit))
  const work = checksumming(task.actions, trees)
  for (;;) {
    const slice = within(() => advance(work))
    if (slice === undefined) return undefined
    if (slice.done) return slice.value.content
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** The last of the pieces of work that are done in a slice. */
function advance<T>(work: Generator<void, T>): IteratorResult<void, T> {
  const end = performance.now() + SLICE
  for (;;) {
    const piece = work.next()
    if (piece.done || performance.now() >= end) return piece
  }
}

/** Whether what the actions select is no more than `limit`; nothing of it is read. */
export function isWithin(task: FilesTask, limit: WorkLimit): boolean {
  const meter = new WorkMeter(limit)
  const nothing = { digest: digestOf('') }
  const read: FilesInput['read'] = ({ stat }) => {
    meter.read(stat.size)
    return nothing
  }
  const found = within(() => {
    using trees = openSelected(task, meter)
    return checksumFileActions(task.actions, { ...trees, read }).content
  })
  return found !== undefined
}

function within<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof LimitExceeded)) throw cause
    return undefined
  }
}

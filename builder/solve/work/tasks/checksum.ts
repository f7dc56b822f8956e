import { checksumFileActions, type FilesInput } from '#builder/files'
import { type Digest, digestOf } from '#core'
import { LimitExceeded, type WorkLimit, WorkMeter } from '../limits/work-meter.ts'
import { type FilesTask, openSelected, openTrees } from './trees.ts'

/** Digest of what the actions select. */
export function checksum(task: FilesTask): Digest {
  using trees = openTrees(task)
  return checksumFileActions(task.actions, trees).content
}

/**
 * The same for a thread that has other duties, which must not wait long. What has a stored digest counts
 * as looked at, not as read.
 * @returns `undefined` when it is more than `limit`
 */
export function checksumWithin(task: FilesTask, limit: WorkLimit): Digest | undefined {
  return within(() => {
    using trees = openTrees(task, new WorkMeter(limit))
    return checksumFileActions(task.actions, trees).content
  })
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

function within(work: () => Digest): Digest | undefined {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof LimitExceeded)) throw cause
    return undefined
  }
}

import { checksumFileActions, checksumming, type FilesInput, finished } from '#builder/files'
import { scannedTree } from '#builder/tree'
import { type Digest, digestOf } from '#core'
import { LimitExceeded, type WorkLimit, WorkMeter } from '../limits/work-meter.ts'
import { changedSelection } from '../selection/changed-selection.ts'
import { type SelectionState, selectionState } from '../selection/selection-state.ts'
import { type FilesTask, type OpenTrees, openSelected, openTrees } from '../selection/trees.ts'

/** From so many known files on, it is quicker to look first whether anything has changed at all. */
const MANY_FILES = 1000

/** Digest of what the actions select. */
export function checksum(task: FilesTask): Digest {
  using trees = openTrees(task)
  return finished(contentOf(task, trees))
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
  const work = contentOf(task, trees, new WorkMeter(limit))
  for (;;) {
    const slice = within(() => advance(work))
    if (slice === undefined) return undefined
    if (slice.done) return slice.value
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/**
 * Digest of what the actions select, a piece at a time. Where nothing has changed since it was last taken, no
 * file is looked up; where little has since it was copied, what has.
 * @param meter counts what is looked at to find that out
 */
function* contentOf(task: FilesTask, trees: OpenTrees, meter?: WorkMeter): Generator<void, Digest> {
  const hasMany = (trees.index?.count ?? 0) >= MANY_FILES
  const found = hasMany ? yield* selectionState(task, meter) : undefined
  if (found === undefined) return (yield* checksumming(task.actions, trees)).content
  const known =
    trees.index?.selectionContent(found) ?? changedSelection(task, found, trees)?.content
  if (known !== undefined) return known
  const { content } = yield* checksumming(task.actions, withScanned(trees, found))
  if (!trees.hasVolatileFiles()) {
    const { selection, state, changedAt } = found
    trees.index?.putSelection({ selection, state, content }, changedAt)
  }
  return content
}

/** What was seen of a context just now is not looked at again. */
function withScanned({ root, sources, read }: OpenTrees, { shown }: SelectionState): FilesInput {
  return { root, read, sources: sources.map((tree) => scannedTree(tree, shown)) }
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

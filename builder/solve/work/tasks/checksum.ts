import {
  checksumFileActions,
  checksumming,
  type FilesInput,
  finished,
  plainPaths,
} from '#builder/files'
import { scannedTree, type TreeState, treeState } from '#builder/tree'
import { type Digest, digestOf } from '#core'
import { parseDockerignore } from '#parser'
import { LimitExceeded, type WorkLimit, WorkMeter } from '../limits/work-meter.ts'
import { type FilesTask, type OpenTrees, openSelected, openTrees } from './trees.ts'

/** From so many known files on, it is quicker to look first whether anything has changed at all. */
const MANY_FILES = 1000

/**
 * Of all that leads from files to the digest of a selection: what was digested in another way is not used.
 * To be raised when `Checksum`, or what is selected and visible, changes.
 */
const DERIVATION = 1

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
 * file is looked up.
 * @param meter counts what is looked at to find that out
 */
function* contentOf(task: FilesTask, trees: OpenTrees, meter?: WorkMeter): Generator<void, Digest> {
  const found = yield* stateOf(task, trees, meter)
  const known = found && trees.index?.selectionContent(found)
  if (known !== undefined) return known
  const { content } = yield* checksumming(task.actions, withScanned(trees, found))
  if (found !== undefined && !trees.hasVolatileFiles()) {
    const { selection, state, changedAt } = found
    trees.index?.putSelection({ selection, state, content }, changedAt)
  }
  return content
}

/** What was seen of a context just now is not looked at again. */
function withScanned(trees: OpenTrees, found: SelectionState | undefined): FilesInput {
  const { root, sources, read } = trees
  if (found === undefined) return trees
  return { root, read, sources: sources.map((tree) => scannedTree(tree, found.folders)) }
}

interface SelectionState {
  readonly selection: Digest
  readonly state: Digest
  readonly changedAt: number
  readonly folders: TreeState['folders']
}

/** The state of all files that actions select from a context of which many are known. */
function* stateOf(
  { actions, sources, store }: FilesTask,
  { index }: OpenTrees,
  meter: WorkMeter | undefined,
): Generator<void, SelectionState | undefined> {
  const [source] = sources
  if (index === undefined || index.count < MANY_FILES) return undefined
  if (source?.kind !== 'context' || sources.length > 1) return undefined
  const paths = plainPaths(actions)
  if (paths === undefined) return undefined
  const { directory, ignore } = source
  const state = yield* treeState(directory, {
    ...{ paths, leftOut: store, onLook: (count) => meter?.look(count) },
    ignore: ignore === '' ? undefined : parseDockerignore(ignore),
  })
  if (state === undefined) return undefined
  const selection = digestOf(JSON.stringify([DERIVATION, source, actions]))
  const { digest, changedAt } = state
  // Modes are not those of the disk there.
  const folders: TreeState['folders'] = source.modes === 'git' ? new Map() : state.folders
  return { selection, state: digest, changedAt, folders }
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

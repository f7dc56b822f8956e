import { join } from 'node:path'
import type { FilesVertex } from '#builder/plan'
import type { CacheKey, LayerId, TarFacts } from '#cache'
import { uncompressedDigest } from '#core'
import { type PreviousCopy, previousCopies } from '../layers/previous-copy.ts'
import { lastCopyOf } from '../work/selection/selection-state.ts'
import type { CopyTask } from '../work/tasks/copy-files.ts'
import type { RecopiedFiles } from '../work/tasks/recopy-files.ts'
import { adoptState, type CopyDeps, layerOfTar, type MadeLayer } from './copied-layer.ts'
import { isMostlyEarlier, makeTar, mayBeParted, type TarWork } from './copied-tar.ts'

/** A step of which there may be an earlier version. */
interface KnownStep {
  readonly vertex: FilesVertex
  readonly family: CacheKey
}

/** A copy that is compared with an earlier one. */
interface Recopying extends TarWork {
  readonly task: CopyTask
}

/**
 * Makes the layer of a copy from that of an earlier version, as far as that has it: only what changed is read,
 * and where a directory is wanted it has only what differs. Then the tar is made while later steps run.
 * @returns `undefined` when that cannot be done
 */
export async function copyAgain(
  task: CopyTask,
  { vertex, family }: KnownStep,
  deps: CopyDeps,
): Promise<MadeLayer | undefined> {
  // On another stack differences would hide files that are not of this step.
  if (vertex.link && task.directory !== undefined) return undefined
  const wants = { tar: task.tar !== undefined, directory: task.directory !== undefined }
  const latest = lastCopyOf(task)
  const found = previousCopies(family, { wants, store: deps.store })
  // Of that one it is known what was changed since.
  const isLatest = ({ layer }: PreviousCopy): number => Number(layer.diffId === latest)
  const previous =
    latest === undefined ? found : [...found].sort((a, b) => isLatest(b) - isLatest(a))
  for (const one of previous) {
    const made = await copyFrom(one, task, deps)
    if (made !== undefined) return made
  }
  return undefined
}

async function copyFrom(
  previous: PreviousCopy,
  task: CopyTask,
  deps: CopyDeps,
): Promise<MadeLayer | undefined> {
  const { store, tasks } = deps
  const temporary = store.temporary()
  const place = (name: string): string => join(temporary.path, name)
  const isFolder = task.directory !== undefined
  const isParted = await mayBeParted(previous, deps)
  // The next copy can be made of it. With a folder, or in parts, differences count from the same layer next time.
  const isWhole = task.tar !== undefined && !isFolder && !isParted
  const recopying = { task, previous, place, isWhole, isParted }
  let tar: Promise<TarFacts | undefined> | undefined
  try {
    const copied = await recopy(recopying, deps)
    if (copied === undefined) return undefined
    // Of a tar that is made anew, later ones can be made.
    if (isParted && !isFolder && !isMostlyEarlier(copied)) return undefined
    const layer = isFolder ? await adoptDirectory(recopying, deps) : undefined
    if (!isWhole)
      adoptState(copied.state, { file: place('state'), base: previous.layer.diffId }, store)
    if (task.tar !== undefined)
      tar = tasks.add(makeTar(copied, recopying, { layer, temporary }, deps))
    if (layer !== undefined) return { copied, layer, tar }
    const facts = await tar
    return facts && { copied, layer: layerOfTar(facts, store) }
  } finally {
    if (tar === undefined) await temporary[Symbol.asyncDispose]()
  }
}

function recopy(
  { task, previous, place, isWhole }: Recopying,
  { pool, signal }: CopyDeps,
): Promise<RecopiedFiles | undefined> {
  const { tar, directory, contents: _, reader: __, ...copying } = task
  const contents = isWhole ? { contents: place('contents') } : {}
  const sinks = {
    ...(tar === undefined ? {} : { pieces: place('pieces'), ...contents }),
    ...(directory === undefined ? {} : { directory: place('directory') }),
  }
  const again = {
    ...{ ...copying, temporary: place('archives'), sinks },
    ...{ previous: previous.contents, base: previous.layer.diffId },
    state: place('state'),
    stateOf: isWhole ? ('made' as const) : ('earlier' as const),
  }
  return pool.run('recopyFiles', again, signal)
}

/** Keeps what differs as a part of the layer. */
async function adoptDirectory(
  { previous, place }: Recopying,
  { store, pool, signal }: CopyDeps,
): Promise<LayerId> {
  const { layers } = store
  const directory = place('directory')
  const { diffId: seal } = await pool.run('digestLayer', { directory, lowers: undefined }, signal)
  const { id } = layers.commitDifferences(directory, previous.layer.id)
  layers.setSeal(id, uncompressedDigest(seal))
  return id
}

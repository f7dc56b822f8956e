import { join } from 'node:path'
import type { Assembly, PreviousFiles, WrittenLayer } from '#builder/layer'
import type { FilesVertex } from '#builder/plan'
import type { CacheKey, LayerId, TarFacts, TemporaryDirectory } from '#cache'
import { MEDIA_TYPES, TsbuildError, throwIfCancelled, uncompressedDigest } from '#core'
import { type PreviousCopy, previousCopies } from '../layers/previous-copy.ts'
import { lastCopyOf } from '../work/selection/selection-state.ts'
import type { CopyTask } from '../work/tasks/copy-files.ts'
import type { RecopiedFiles } from '../work/tasks/recopy-files.ts'
import {
  adoptContents,
  adoptState,
  adoptTar,
  type CopyDeps,
  layerOfTar,
  type MadeLayer,
} from './copied-layer.ts'
import { readAlong } from './read-along.ts'

/** A step of which there may be an earlier version. */
interface KnownStep {
  readonly vertex: FilesVertex
  readonly family: CacheKey
}

/** A copy that is compared with an earlier one, and where its files are written. */
interface Recopying {
  readonly task: CopyTask
  readonly previous: PreviousCopy
  readonly place: (name: string) => string
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
  const recopying = { task, previous, place }
  let tar: Promise<TarFacts | undefined> | undefined
  try {
    const copied = await recopy(recopying, deps)
    if (copied === undefined) return undefined
    const isFolder = task.directory !== undefined
    const layer = isFolder ? await adoptDirectory(recopying, deps) : undefined
    if (isFolder)
      adoptState(copied.state, { file: place('state'), base: previous.layer.diffId }, store)
    if (task.tar !== undefined)
      tar = tasks.add(makeTar(recopying, copied, { layer, temporary }, deps))
    if (layer !== undefined) return { copied, layer, tar }
    const facts = await tar
    return facts && { copied, layer: layerOfTar(facts, store) }
  } finally {
    if (tar === undefined) await temporary[Symbol.asyncDispose]()
  }
}

function recopy(
  { task, previous, place }: Recopying,
  { pool, signal }: CopyDeps,
): Promise<RecopiedFiles | undefined> {
  const { tar, directory, contents: _, reader: __, ...copying } = task
  const isWhole = tar !== undefined && directory === undefined
  // With a directory, differences count from the same layer next time.
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

/** The layer that a tar is made of, where it has another form, and the files that are removed then. */
interface TarOwner {
  readonly layer: LayerId | undefined
  readonly temporary: TemporaryDirectory
}

/** @returns `undefined` when the earlier tar was damaged */
async function makeTar(
  { task, previous, place }: Recopying,
  { recipe, warnings, presumed, state }: RecopiedFiles,
  { layer, temporary }: TarOwner,
  deps: CopyDeps,
): Promise<TarFacts | undefined> {
  await using _ = temporary
  const { layers } = deps.store
  if (recipe === undefined || previous.tar === undefined) throw new Error('a tar has a recipe')
  const isWhole = task.directory === undefined
  const [contents, noted] = isWhole ? [place('contents'), place('state')] : []
  const files = { contents: previous.contents, tar: previous.tar }
  const written = await assemble(
    { recipe, previous: files, pieces: place('pieces'), tar: place('tar'), contents },
    previous,
    deps,
  )
  if (written === undefined) return undefined
  const { diffId, size, hasContents = false } = written
  const made = { diffId, size, warnings, presumed }
  const facts = await adoptTar(made, { tar: place('tar') }, deps)
  adoptContents({ diffId, hasContents, state }, { contents, state: noted }, deps)
  if (layer !== undefined && facts !== undefined) layers.setTar(layer, facts)
  return facts
}

/** Another thread takes the digest. @returns `undefined` when the earlier tar was damaged */
async function assemble(
  assembly: Omit<Assembly, 'reader'> & { readonly previous: PreviousFiles },
  previous: PreviousCopy,
  deps: CopyDeps,
): Promise<WrittenLayer | undefined> {
  const { pool, spans, signal } = deps
  try {
    const { written, read } = await spans.measure('packing', () =>
      readAlong(
        {
          write: (reader) => pool.run('assembleTar', { ...assembly, reader }, signal),
          read: (tar) => pool.runBeside('digestTar', { tar }, signal),
        },
        pool,
      ),
    )
    return { ...written, ...read }
  } catch (cause) {
    if (!(cause instanceof TsbuildError) || cause.code !== 'DIGEST_MISMATCH') throw cause
    await setAside(previous, cause, deps)
    return undefined
  }
}

/** A tar of the store was damaged: reading it as a whole takes it out of the store. */
async function setAside(
  { layer: { diffId, size = 0 } }: PreviousCopy,
  cause: TsbuildError,
  { store, reporter, signal }: CopyDeps,
): Promise<void> {
  store.contents.remove(diffId)
  reporter.cacheFailure(cause)
  const blob = { mediaType: MEDIA_TYPES.ociLayer, digest: uncompressedDigest(diffId), size }
  try {
    for await (const bytes of await store.blobs.open(blob, { signal })) void bytes
  } catch (failure) {
    throwIfCancelled(signal, 'read a damaged tar')
    if (!(failure instanceof TsbuildError)) throw failure
  }
}

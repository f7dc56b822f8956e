import { join } from 'node:path'
import type { FilesVertex } from '#builder/plan'
import type { CacheKey, TemporaryDirectory } from '#cache'
import { MEDIA_TYPES, TsbuildError, throwIfCancelled, uncompressedDigest } from '#core'
import { findPreviousCopy, type PreviousCopy } from '../layers/previous-copy.ts'
import type { CopiedFiles, CopyTask, RecopyTask } from '../work/tasks/copy-files.ts'
import {
  adoptContents,
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
  readonly temporary: TemporaryDirectory
}

/**
 * Makes the layer of a copy from that of an earlier version, as far as that has it: only what changed is read,
 * and where a directory is wanted it has only what differs.
 * @returns `undefined` when that cannot be done
 */
export async function copyAgain(
  task: CopyTask,
  { vertex, family, temporary }: KnownStep,
  deps: CopyDeps,
): Promise<MadeLayer | undefined> {
  const { store } = deps
  // On another stack differences would hide files that are not of this step.
  if (vertex.link && task.directory !== undefined) return undefined
  const wants = { tar: task.tar !== undefined, directory: task.directory !== undefined }
  const previous = findPreviousCopy(family, { wants, store })
  if (previous === undefined) return undefined
  const again = placedBelow(join(temporary.path, 'again'), task)
  try {
    const copied = await recopy({ ...again, previous: previous.files }, deps)
    return copied && (await adopt(copied, { previous, task: again }, deps))
  } catch (cause) {
    if (!(cause instanceof TsbuildError) || cause.code !== 'DIGEST_MISMATCH') throw cause
    await setAside(previous, cause, deps)
    return undefined
  }
}

/** Another thread takes the digest of the tar. */
async function recopy(
  task: RecopyTask,
  { pool, signal }: CopyDeps,
): Promise<CopiedFiles | undefined> {
  if (task.tar === undefined) return pool.run('recopyFiles', task, signal)
  const made = await readAlong(
    {
      write: (reader) => pool.run('recopyFiles', { ...task, reader }, signal),
      read: (tar) => pool.runBeside('digestTar', { tar }, signal),
    },
    pool,
  )
  return made && { ...made.copied, ...made.read }
}

/** What a task writes, at other places: where it fails, another one writes there. */
function placedBelow(place: string, { tar, directory, ...task }: CopyTask): CopyTask {
  return {
    ...task,
    temporary: `${place}-archives`,
    tar: tar === undefined ? undefined : `${place}-tar`,
    directory: directory === undefined ? undefined : `${place}-directory`,
    // Differences count from the same layer next time.
    contents: directory === undefined ? `${place}-contents` : undefined,
  }
}

async function adopt(
  copied: CopiedFiles,
  { previous, task }: { readonly previous: PreviousCopy; readonly task: CopyTask },
  deps: CopyDeps,
): Promise<MadeLayer> {
  const { store, pool, signal } = deps
  const { layers } = store
  const { directory } = task
  const facts = await adoptTar(copied, task, deps)
  adoptContents(copied, task, deps)
  if (directory === undefined) return { copied, layer: layerOfTar(facts, store) }
  const { diffId: seal } = await pool.run('digestLayer', { directory, lowers: undefined }, signal)
  const { id } = layers.commitDifferences(directory, previous.layer.id)
  layers.setSeal(id, uncompressedDigest(seal))
  if (facts !== undefined) layers.setTar(id, facts)
  return { copied, layer: id }
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

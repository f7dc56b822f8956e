/**
 * Whether a layer's directory is still what was made: disks flip bits, and files of the store may be
 * written to. Tars and packed layers are digested whenever they are read; a directory is digested
 * before it leaves the machine as files.
 */
import { join } from 'node:path'
import type { LayerId } from '#cache'
import { type DiffId, type Digest, TsbuildError, throwIfCancelled, uncompressedDigest } from '#core'
import type { PackTask } from '../work/tasks/pack-layer.ts'
import type { Layer, LayerDeps } from './layer.ts'

/** A directory of a layer that is to be checked. */
export interface MadeDirectory {
  readonly id: LayerId
  readonly directory: string
  /** Of a layer that was made here: its directory says the same as its tar. */
  readonly diffId?: DiffId | undefined
  /** What it was made on, topmost first. */
  readonly lowers?: readonly string[] | undefined
  /** It was made by this process. */
  readonly isNew: boolean
  /** Makes it anew at a path where nothing is; throws where there is nothing to make it of. */
  readonly remake: (target: string) => Promise<void>
}

/** The folder of a layer, and what is known of what it has to hold. */
export interface ClaimedFolder extends Pick<MadeDirectory, 'directory' | 'diffId' | 'lowers'> {
  /** Its digest at the last check. */
  readonly seal: Digest | undefined
}

/** What digesting the folder of a layer has shown. */
export interface FolderDigest {
  /** It holds what was made. */
  readonly isProven: boolean
  /** Of the folder alone, unless it was proven together with what lies below. */
  readonly digest: Digest
}

/** As `lowersOf`, but never merged; what they hold was digested. */
export async function checkedLowers(layers: readonly Layer[]): Promise<readonly string[]> {
  const checked = layers.map((layer, index) => layer.checkedLower(layers.slice(0, index)))
  return [...new Set((await Promise.all(checked)).reverse().flat())]
}

/**
 * Digests a directory and compares it with the diffID of its layer, or with the seal of an earlier
 * check. One that has neither, or another one, is made anew from its blob, and replaced if it differs;
 * without a blob it is removed.
 * @throws {TsbuildError} DIGEST_MISMATCH when it is not what was made and cannot be repaired;
 *   what fetching the blob failed with, when there is no digest of what was made
 */
export async function checkDirectory(made: MadeDirectory, deps: LayerDeps): Promise<void> {
  const { store } = deps
  const { id, diffId } = made
  const seal = store.layers.seal(id)
  const { isProven, digest: found } = await digestFolder({ ...made, seal }, deps)
  if (isProven) return
  if (made.isNew) {
    store.layers.setSeal(id, found)
    return
  }
  await using temporary = store.temporary()
  const fresh = join(temporary.path, 'fresh')
  try {
    await made.remake(fresh)
  } catch (cause) {
    throwIfCancelled(deps.signal, `check layer ${id}`)
    // There is no sign of damage, only no proof against it.
    if (seal === undefined && diffId === undefined) throw cause
    throw await discardDamaged(id, deps, cause)
  }
  const right = await digestOf({ directory: fresh, lowers: undefined }, deps)
  if (right !== found) store.layers.replaceDirectory(id, fresh, temporary.path)
  store.layers.setSeal(id, right)
}

/** Digests the folder of a layer, and compares it with all that is known of what it has to hold. */
export async function digestFolder(
  { directory, diffId, lowers, seal }: ClaimedFolder,
  deps: DigestDeps,
): Promise<FolderDigest> {
  const own = diffId === undefined ? undefined : uncompressedDigest(diffId)
  if (own !== undefined && lowers !== undefined) {
    const digest = await digestOf({ directory, lowers }, deps)
    if (digest === own) return { isProven: true, digest }
  }
  const digest = await digestOf({ directory, lowers: undefined }, deps)
  return { isProven: digest === seal || digest === own, digest }
}

type DigestDeps = Pick<LayerDeps, 'pool' | 'signal'>

async function digestOf(
  task: Omit<PackTask, 'tar'>,
  { pool, signal }: DigestDeps,
): Promise<Digest> {
  return uncompressedDigest((await pool.run('digestLayer', task, signal)).diffId)
}

/** Removes a layer that is not what was made, so that the next build makes it anew. @returns the error */
export async function discardDamaged(
  id: LayerId,
  { store }: LayerDeps,
  cause?: unknown,
): Promise<TsbuildError> {
  await using temporary = store.temporary()
  store.layers.discard(id, temporary.path)
  return new TsbuildError(`layer ${id} of the store was damaged: its folder is not what was made`, {
    code: 'DIGEST_MISMATCH',
    hint: 'it was removed: build again, and it is made anew; have a look at the disk',
    cause,
  })
}

/**
 * Stacks of layers as what mounts and copies work on: directories in overlay form, or tars. Overlayfs takes 500
 * of them at most, and each costs a look-up for every name; an image may have any number.
 */
import { basename, join } from 'node:path'
import { cacheKeyOf, type LayerId, layerId, type Store } from '#cache'
import type { WorkPool } from '../work/work-pool.ts'
import type { Layer } from './layer.ts'
import type { LayerWatch } from './layer-watch.ts'

/** What stacks need to be merged. */
export interface StackDeps {
  readonly store: Store
  readonly pool: WorkPool
  readonly watch: LayerWatch
  readonly signal: AbortSignal | undefined
}

/** So many layers on top stay directories of their own. */
const NEWEST = 400
/** What lies below is merged in steps of so many, so that a growing stack is not copied each time. */
const STEP = 50
/** Bounds the descriptors that a merge has open. */
const MERGED_AT_ONCE = 200

/**
 * The layers of a stack as `stackTree` takes them, topmost first; each once, where it is topmost. What lies below the
 * newest 400 layers may be one directory that shows the same: the layers themselves, and what an
 * image has of them, do not change.
 */
export async function lowersOf(
  layers: readonly Layer[],
  deps: StackDeps,
): Promise<readonly string[]> {
  const made = layers.map((layer, index) => layer.lower(layers.slice(0, index)))
  const lowers = (await Promise.all(made)).flatMap((parts) => parts.toReversed())
  const merged = Math.max(0, Math.floor((lowers.length - NEWEST) / STEP)) * STEP
  const kept = lowers.slice(merged).reverse()
  if (merged > 0) kept.push(await mergedBelow(lowers.slice(0, merged), deps))
  return [...new Set(kept)]
}

async function mergedBelow(bottomFirst: readonly string[], deps: StackDeps): Promise<string> {
  const directory = await mergedDirectory(bottomFirst, deps)
  const { pool, watch, signal } = deps
  const id = mergedId(bottomFirst)
  const remake = async (target: string): Promise<void> => {
    const directories = [...new Set(bottomFirst.toReversed())]
    await pool.runBeside('mergeDirectories', { directories, directory: target }, signal)
  }
  await watch.use({ id, directory, remake })
  return directory
}

/** `bottomFirst` as one directory, made of the largest part that was merged before. */
async function mergedDirectory(bottomFirst: readonly string[], deps: StackDeps): Promise<string> {
  const { store, pool, signal } = deps
  const id = mergedId(bottomFirst)
  const isMade = (one: LayerId): boolean => store.layers.get(one)?.directory === true
  if (isMade(id)) return store.layers.directory(id)
  const what = `merge ${bottomFirst.length} layers`
  await using _lease = await store.lease(cacheKeyOf({ merge: id }), { signal, what })
  if (isMade(id)) return store.layers.directory(id)
  let count = bottomFirst.length - STEP
  while (count > 0 && !isMade(mergedId(bottomFirst.slice(0, count)))) count -= STEP
  const least = bottomFirst.length - MERGED_AT_ONCE
  if (count < least) count = least
  const rest = count > 0 ? [await mergedDirectory(bottomFirst.slice(0, count), deps)] : []
  const directories = [...bottomFirst.slice(Math.max(count, 0)).reverse(), ...rest]
  await using temporary = store.temporary()
  const directory = join(temporary.path, 'merged')
  await pool.run('mergeDirectories', { directories: [...new Set(directories)], directory }, signal)
  await store.layers.commitDirectory(directory, { id })
  return store.layers.directory(id)
}

/** The first letter is not a hex digit, so that the id is never taken for a diffID. */
function mergedId(bottomFirst: readonly string[]): LayerId {
  const key = cacheKeyOf({ merged: bottomFirst.map((directory) => basename(directory)) })
  return layerId(`m${key.slice(1)}`)
}

/** The layer that a directory of `lowersOf` was merged to; `undefined` for one that was not. */
export function mergedLayerOf(directory: string): LayerId | undefined {
  const name = basename(directory)
  return /^m[0-9a-f]{63}$/.test(name) ? layerId(name) : undefined
}

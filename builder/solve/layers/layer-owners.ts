import { hasOwnersBeside } from '#builder/layer'
import { hasSingleId } from '#builder/linux'
import type { Vertex } from '#builder/plan'
import { cacheKeyOf, type LayerId, type LayerRecord, type Store } from '#cache'
import type { LayerDeps } from './layer.ts'

/**
 * True for what was made where there was one user id only, and might come out otherwise now that there
 * are more: by a step that saw files of others as root's, or of what such a step changed.
 */
export function isOutdated(
  { op }: Vertex,
  { id, diffId }: LayerRecord,
  { layers }: Pick<Store, 'layers'>,
): boolean {
  if (hasSingleId()) return false
  if (op === 'exec' && hasOwnersBeside([layers.directory(id)])) return true
  return diffId !== undefined && layers.presumed(diffId) !== undefined
}

/**
 * Where a layer's directory is, whose files have their owners where there are ids for them: what was
 * made while there was one only gets them now.
 */
export async function ownedDirectory(
  id: LayerId,
  { store, pool, signal }: Pick<LayerDeps, 'store' | 'pool' | 'signal'>,
): Promise<string> {
  const directory = store.layers.directory(id)
  if (hasSingleId() || !hasOwnersBeside([directory])) return directory
  const what = `set the owners of layer ${id}`
  await using _lease = await store.lease(cacheKeyOf({ owners: id }), { signal, what })
  await pool.run('giveOwners', { directory }, signal)
  return directory
}

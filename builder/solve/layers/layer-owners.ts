import { hasOwnersBeside } from '#builder/layer'
import { fileRights } from '#builder/linux'
import type { Vertex } from '#builder/plan'
import type { LayerRecord, RemoteLayer, Store } from '#cache'

/**
 * True for what was made where files get no owners, and might come out otherwise now that they do: by a
 * step that saw files of others as root's, or of what such a step changed.
 */
export function isOutdated(
  { op }: Vertex,
  { diffId, directory, elsewhere = [] }: LayerRecord,
  { layers }: Pick<Store, 'layers'>,
): boolean {
  if (!fileRights().givesOwners) return false
  // With a folder of its own kind it came out the same when it was made again.
  if (op === 'exec' && !directory && hasOwnersBeside(elsewhere)) return true
  return diffId !== undefined && layers.presumed(diffId) !== undefined
}

/** As `isOutdated`, for a layer that is not in the store. */
export function isRemoteOutdated({ presumed }: Pick<RemoteLayer, 'presumed'>): boolean {
  return presumed !== undefined && fileRights().givesOwners
}

/**
 * Layers whose folder has only what differs from another layer's: an earlier version of the same step. On
 * top of that folder it is the whole layer.
 */
import type { LayerId, LayerRecord } from '#cache'
import { MEDIA_TYPES, uncompressedDigest } from '#core'
import type { LayerDeps } from './layer.ts'
import { unpack } from './layer-blob.ts'
import { checkDirectory, discardDamaged } from './layer-check.ts'
import { missingLayerError } from './missing-layer.ts'

/** A layer of two folders. */
export type PartedLayer = LayerRecord & { readonly differsFrom: LayerId }

/** True for a layer of two folders. */
export function isParted(record: LayerRecord): record is PartedLayer {
  return record.differsFrom !== undefined
}

/** The folders of a layer, topmost first. */
export async function partsOf(layer: PartedLayer, deps: LayerDeps): Promise<readonly string[]> {
  const { store, watch } = deps
  const ids = [layer.id, layer.differsFrom]
  const parts = ids.map((id) => ({ id, directory: store.layers.directory(id) }))
  for (const part of parts) await watch.use({ ...part, remake: () => remakeNothing(part.id) })
  return parts.map(({ directory }) => directory)
}

/**
 * Checks both folders.
 * @param below what the layer was made on, topmost first
 * @throws {TsbuildError} DIGEST_MISMATCH when one is damaged and cannot be repaired
 */
export async function checkParts(
  { id, differsFrom }: PartedLayer,
  below: readonly string[],
  deps: LayerDeps,
): Promise<void> {
  const { layers } = deps.store
  // Nothing says what it has to hold, and nothing can be made anew of it alone.
  if (layers.seal(id) === undefined) throw await discardDamaged(id, deps)
  const own = { id, directory: layers.directory(id), isNew: false }
  await checkDirectory({ ...own, remake: () => remakeNothing(id) }, deps)
  const { diffId, size } = layers.get(differsFrom) ?? {}
  await checkDirectory(
    {
      ...{ id: differsFrom, directory: layers.directory(differsFrom), isNew: false },
      ...{ diffId, lowers: below },
      remake: async (target) => {
        if (diffId === undefined || size === undefined) throw missingLayerError(differsFrom)
        const tar = { mediaType: MEDIA_TYPES.ociLayer, digest: uncompressedDigest(diffId), size }
        await unpack(tar, { diffId, directory: target, lowers: below }, deps)
      },
    },
    deps,
  )
}

async function remakeNothing(id: LayerId): Promise<void> {
  throw missingLayerError(id)
}

import { fileRights } from '#builder/linux'
import type { CacheKey, LayerRecord, Store } from '#cache'
import { asDiffId, type DiffId, uncompressedDigest } from '#core'

/** An earlier layer of a copy, of which the next one can be made. */
export interface PreviousCopy {
  readonly layer: LayerRecord & { readonly diffId: DiffId }
  /** What is noted of its tar. */
  readonly contents: string
  /** Where one was asked for. */
  readonly tar: string | undefined
}

/** In which forms a layer is wanted. */
export interface WantedForms {
  /** The earlier one has a tar. */
  readonly tar: boolean
  /** The earlier one has a folder that may lie under one with what differs. */
  readonly directory: boolean
}

/** So many versions of a step are looked at. */
const MOST_LOOKED_AT = 4

/**
 * Finds what earlier builds have left of a step, the latest first: copies of several projects may be of one family.
 * Where a layer has only what differs from another, that other one is it: differences do not pile up.
 */
export function* previousCopies(
  family: CacheKey,
  { wants, store }: { readonly wants: WantedForms; readonly store: Store },
): Generator<PreviousCopy> {
  const { layers, records, contents, blobs } = store
  const seen = new Set<DiffId>()
  for (const id of records.layersOfFamily(family, MOST_LOOKED_AT)) {
    const layer = madeOf(layers.get(id), store)
    const { diffId, size } = layer ?? {}
    const noted = diffId && contents.find(diffId)
    if (layer === undefined || diffId === undefined || noted === undefined) continue
    if (seen.has(diffId)) continue
    seen.add(diffId)
    const digest = uncompressedDigest(diffId)
    const tar = wants.tar && blobs.stat(digest) === size ? blobs.findFile(digest) : undefined
    if (wants.tar && tar === undefined) continue
    if (wants.directory && !(layer.directory && canBeParted(diffId, store))) continue
    yield { layer: { ...layer, diffId }, contents: noted, tar }
  }
}

/** The layer that one is made of which has only what differs, in a folder or a tar; another one is it itself. */
function madeOf(layer: LayerRecord | undefined, { layers, blobs }: Store): LayerRecord | undefined {
  if (layer?.differsFrom !== undefined) return layers.get(layer.differsFrom)
  const earlier = layer?.diffId && blobs.earlierOf(uncompressedDigest(layer.diffId))
  return earlier === undefined ? layer : layers.findByDiffId(asDiffId(earlier))
}

/** What is kept beside a folder counts for that folder alone; steps in place may change any folder. */
function canBeParted(diffId: DiffId, { layers }: Pick<Store, 'layers'>): boolean {
  const isPresumed = layers.presumed(diffId) !== undefined
  return fileRights().givesOwners && !isPresumed && !layers.keepsTimes
}

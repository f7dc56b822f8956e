import { join } from 'node:path'
import { layerBlob, type Output, type StepLayer } from '#builder/export'
import { decompress } from '#builder/layer'
import type { WorkPool } from '#builder/solve'
import { cacheKeyOf, type Store } from '#cache'
import { compressionOf, MEDIA_TYPES, type Spans, uncompressedDigest } from '#core'

/** Whether an output takes layers with no file newer than `SOURCE_DATE_EPOCH`. */
export function rewritesTimes(output: Output): boolean {
  return 'rewriteTimestamp' in output && output.rewriteTimestamp === true
}

/** What layers are rewritten with. */
export interface RewriteDeps {
  readonly store: Store
  readonly pool: WorkPool
  readonly spans: Spans
  readonly signal: AbortSignal
}

/**
 * The layer with no file newer than `maxMtime` (milliseconds). Layers of the base image stay as they
 * are. What was rewritten before is found again.
 */
export async function rewriteTimes(
  layer: StepLayer,
  maxMtime: number,
  { store, pool, spans, signal }: RewriteDeps,
): Promise<StepLayer> {
  if (layer.vertex === undefined) return layer
  // `epoch` is part of stored keys: another name would invalidate the results of earlier builds.
  const preimage = { op: 'rewrite-times', diffId: layer.diffId, epoch: maxMtime }
  const key = cacheKeyOf(preimage)
  const known = store.records.find(key)?.layer
  const record = known === undefined ? undefined : store.layers.get(known)
  if (record?.diffId !== undefined && record.size !== undefined) {
    return { ...layer, diffId: record.diffId, size: record.size, blob: undefined }
  }
  await using temporary = store.temporary()
  const target = join(temporary.path, 'tar')
  await unpackTar(layer, { store, signal })
  const tar = await store.blobs.file(uncompressedDigest(layer.diffId), { signal })
  const facts = await spans.measure('packing', () =>
    pool.run('rewriteTimes', { tar, target, maxMtime }, signal),
  )
  await store.blobs.adopt(target, uncompressedDigest(facts.diffId), facts.size)
  const presumed = store.layers.presumed(layer.diffId)
  const { id } = store.layers.register({ ...facts, presumed })
  const description = `times of layer ${layer.diffId}`
  store.records.put({ key, family: key, preimage, layer: id, description })
  return { ...layer, ...facts, blob: undefined }
}

/** A layer that was found in a cache elsewhere is packed. */
async function unpackTar(
  layer: StepLayer,
  { store, signal }: Pick<RewriteDeps, 'store' | 'signal'>,
): Promise<void> {
  const { diffId, size, blob } = layer
  const compression = blob && compressionOf(blob.descriptor.mediaType)
  if (compression === undefined || size === undefined) return
  const tar = { mediaType: MEDIA_TYPES.ociLayer, digest: uncompressedDigest(diffId), size }
  if (await store.blobs.has(tar)) return
  const { open } = layerBlob(layer, 'none', { store, early: undefined })
  await store.blobs.put(tar, decompress(await open({ signal }), compression), { signal })
}

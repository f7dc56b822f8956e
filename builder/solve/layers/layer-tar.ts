/**
 * Tars of the store in the place of directories: where steps run in place, a file that is unpacked to a
 * directory first would be written twice.
 */
import { type DiffId, uncompressedDigest } from '#core'
import type { LayerDeps } from './layer.ts'

/** A layer whose tar is in the store. */
export interface LayerTar {
  readonly diffId: DiffId
  /** Stores the tar anew, after a damaged one was removed; throws where there is nothing to make it of. */
  readonly remake: () => Promise<void>
}

/**
 * The tar of a layer as a part of a stack, verified.
 * @returns its path; `undefined` when only applying the layer shows what it means
 * @throws {TsbuildError} DIGEST_MISMATCH when it is damaged and cannot be made anew
 */
export async function lowerTar(layer: LayerTar, deps: LayerDeps): Promise<string | undefined> {
  const { store, pool, watch, signal } = deps
  const { diffId, remake } = layer
  const path = store.blobs.path(uncompressedDigest(diffId))
  await watch.useTar({ diffId, path, remake })
  const isWhole = await pool.run('isSelfContained', { tar: path }, signal)
  return isWhole ? path : undefined
}

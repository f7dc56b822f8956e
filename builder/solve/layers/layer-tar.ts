/**
 * Tars of the store in the place of directories: where steps run in place, a file that is unpacked to a
 * directory first would be written twice.
 */
import { uncompressedDigest } from '#core'
import type { LayerDeps } from './layer.ts'
import type { UsedTar } from './tar-watch.ts'

/**
 * The tar of a layer as a part of a stack, verified.
 * @returns its path; `undefined` when only applying the layer shows what it means
 * @throws {TsbuildError} DIGEST_MISMATCH when it is damaged and cannot be made anew
 */
export async function lowerTar(
  tar: Omit<UsedTar, 'path'>,
  { store, pool, watch, signal }: LayerDeps,
): Promise<string | undefined> {
  const path = await store.blobs.file(uncompressedDigest(tar.diffId), { signal })
  await watch.useTar({ ...tar, path })
  return (await pool.run('isSelfContained', path, signal)) ? path : undefined
}

/** Layers have several forms, and each can be made of another one. */
import { join } from 'node:path'
import { compress, decompress } from '#builder/layer'
import { hasFolder, type LayerRecord } from '#cache'
import {
  compressionOf,
  type Descriptor,
  type DiffId,
  isDamaged,
  MEDIA_TYPES,
  TsbuildError,
  uncompressedDigest,
} from '#core'
import type { VerifyDeps } from './verify-deps.ts'

type HealDeps = Pick<VerifyDeps, 'audit' | 'pool' | 'stacks' | 'signal'>

/**
 * Makes the blob of a layer of what else the store has of it. Nothing that is not the blob gets its name.
 * @returns whether the store has it now
 */
export async function healLayer(
  blob: Descriptor,
  diffId: DiffId,
  deps: HealDeps,
): Promise<boolean> {
  if (compressionOf(blob.mediaType) === 'none') return healTar(blob, diffId, deps)
  return pack(blob, diffId, deps)
}

async function healTar(tar: Descriptor, diffId: DiffId, deps: HealDeps): Promise<boolean> {
  const { blobs, layers } = deps.audit.store
  if (await blobs.has(tar)) return true
  for (const packed of layers.compressed(diffId)) {
    if (await unpack(tar, packed, deps)) return true
  }
  for (const layer of deps.audit.layers().filter((one) => one.diffId === diffId)) {
    if (hasFolder(layer) && (await packFolders(tar, layer, deps))) return true
  }
  return false
}

async function unpack(
  tar: Descriptor,
  packed: Descriptor,
  { audit, signal }: HealDeps,
): Promise<boolean> {
  const { blobs } = audit.store
  const compression = compressionOf(packed.mediaType)
  if (compression === undefined || !(await blobs.has(packed))) return false
  return attempt(async () => {
    const bytes = decompress(await blobs.open(packed, { signal }), compression)
    await blobs.put(tar, bytes, { signal })
  })
}

async function packFolders(
  tar: Descriptor,
  layer: LayerRecord,
  { audit, pool, stacks, signal }: HealDeps,
): Promise<boolean> {
  await using temporary = audit.store.temporary()
  const directories = audit.store.layers.folders(layer)
  const joined = join(temporary.path, 'joined')
  const [directory = joined] = directories.length === 1 ? directories : []
  const isFolder =
    directory !== joined ||
    (await attempt(() => pool.run('mergeDirectories', { directories, directory }, signal)))
  if (!isFolder) return false
  // A copy with --link was made on nothing.
  for (const [index, lowers] of [...(await stacks.everyLowers(layer)), []].entries()) {
    const file = join(temporary.path, `${index}.tar`)
    const isPacked = await attempt(async () => {
      const { diffId, size } = await pool.run('packLayer', { directory, lowers, tar: file }, signal)
      if (uncompressedDigest(diffId) !== tar.digest) throw otherLayerError(directory)
      await audit.store.blobs.adopt(file, tar.digest, size)
    })
    if (isPacked) return true
  }
  return false
}

/** What this program has packed, it packs the same way again. */
async function pack(packed: Descriptor, diffId: DiffId, deps: HealDeps): Promise<boolean> {
  const { blobs, layers } = deps.audit.store
  const isChunked = layers.annotations(diffId).has(packed.digest)
  const compression = isChunked ? 'zstd:chunked' : compressionOf(packed.mediaType)
  const { size } = layers.findByDiffId(diffId) ?? {}
  if (compression === undefined || size === undefined) return false
  const tar = { mediaType: MEDIA_TYPES.ociLayer, digest: uncompressedDigest(diffId), size }
  if (!(await healTar(tar, diffId, deps))) return false
  return attempt(async () => {
    const { signal } = deps
    await blobs.put(packed, compress(await blobs.open(tar, { signal }), compression), { signal })
  })
}

/** False for what turned out to be another blob, or cannot be read. */
async function attempt(make: () => Promise<void>): Promise<boolean> {
  try {
    await make()
    return true
  } catch (cause) {
    const isOther = cause instanceof TsbuildError && cause.code === 'LAYER_INVALID'
    if (isOther || isDamaged(cause)) return false
    throw cause
  }
}

function otherLayerError(directory: string): TsbuildError {
  return new TsbuildError(`${directory} holds another layer`, { code: 'DIGEST_MISMATCH' })
}

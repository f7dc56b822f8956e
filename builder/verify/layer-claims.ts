import { type Compression, compressionOf, type DiffId, type Digest } from '#core'
import type { VerifyDeps } from './verify-deps.ts'

/** What is said of a blob: that it holds a layer. */
export interface LayerClaim {
  readonly diffId: DiffId
  readonly compression: Compression
  /** Who says so. */
  readonly by: 'database' | 'image'
}

/** What the database and the configs of images say of blobs. */
export function layerClaims({
  audit,
  needed,
}: Pick<VerifyDeps, 'audit' | 'needed'>): ReadonlyMap<Digest, readonly LayerClaim[]> {
  const claims = new Map<Digest, LayerClaim[]>()
  const add = (digest: Digest, mediaType: string, claim: Omit<LayerClaim, 'compression'>): void => {
    const compression = compressionOf(mediaType)
    if (compression === undefined) return
    claims.set(digest, [...(claims.get(digest) ?? []), { ...claim, compression }])
  }
  for (const { descriptor, diffIds } of needed) {
    for (const diffId of diffIds)
      add(descriptor.digest, descriptor.mediaType, { diffId, by: 'image' })
  }
  for (const { diffId, blob } of audit.claims()) {
    add(blob.digest, blob.mediaType, { diffId, by: 'database' })
  }
  return claims
}

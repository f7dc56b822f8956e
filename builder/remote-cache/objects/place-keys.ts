import type { ObjectPlace } from '#builder/options'
import { type Descriptor, type Digest, digestOf, hexOf } from '#core'
import type { StoredBlob } from './object-store.ts'

/** Keys of a cache. No one else's are among them. */
export interface PlaceKeys {
  readonly index: string
  /** What the keys of all indexes begin with. */
  readonly indexes: string
  /** What the keys of all blobs begin with. */
  readonly blobs: string
  /** Says when blobs were removed last; `undefined`: none may be removed. */
  readonly tended: string | undefined
}

/** A scope that is part of a key as it is. */
const PLAIN_SCOPE = /^[\w.-]{1,128}$/

export function keysOf(place: ObjectPlace): PlaceKeys {
  if (place.kind !== 'gha') return place.keys
  const { scope } = place
  const plain = PLAIN_SCOPE.test(scope) ? scope : `sha256-${hexOf(digestOf(scope))}`
  const indexes = 'tsbuild-index-1-'
  return { indexes, index: indexes + plain, blobs: 'tsbuild-blob-1-', tended: undefined }
}

/** Where a cache is, as messages name it: without anything secret. */
export function describePlace(place: ObjectPlace): string {
  if (place.kind === 'gha') return `gha:${place.scope}`
  const { index } = place.keys
  if (place.kind === 's3') return `s3://${place.bucket}/${index}`
  return `${describeAccount(place.accountUrl)}/${place.container}/${index}`
}

/** The address of an account: what follows may be a signature. */
function describeAccount(accountUrl: string): string {
  const { host, pathname } = new URL(accountUrl)
  return `azblob://${host}${pathname.replace(/\/$/, '')}`
}

/** The object of a blob. */
export function blobObject(
  { blobs }: PlaceKeys,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
): StoredBlob {
  return { key: blobKey(blobs, digest), size }
}

function blobKey(blobs: string, digest: Digest): string {
  return `${blobs}sha256-${hexOf(digest)}`
}

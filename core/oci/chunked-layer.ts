import { type Compression, compressionOf, type Descriptor } from './descriptor.ts'

/**
 * Annotations of a layer that is packed as zstd:chunked: the digest of the table of contents in its blob, where that
 * is, and where the rest of the tar is. Spec: containers/storage, pkg/chunked
 */
export const CHUNKED_ANNOTATIONS = {
  checksum: 'io.github.containers.zstd-chunked.manifest-checksum',
  position: 'io.github.containers.zstd-chunked.manifest-position',
  tarSplit: 'io.github.containers.zstd-chunked.tarsplit-position',
} as const

/** The annotations of a descriptor that say of its blob where its files are; none for one that is not chunked. */
export function chunkedAnnotations({
  annotations = {},
}: {
  readonly annotations?: Descriptor['annotations'] | undefined
}): {
  readonly annotations?: Readonly<Record<string, string>>
} {
  if (annotations[CHUNKED_ANNOTATIONS.checksum] === undefined) return {}
  const keys: readonly string[] = Object.values(CHUNKED_ANNOTATIONS)
  const known = Object.entries(annotations).filter(([key]) => keys.includes(key))
  return { annotations: Object.fromEntries(known) }
}

/** How a layer is packed, by its descriptor: `compressionOf`, or chunked. */
export function packedAs(descriptor: Descriptor): Compression | undefined {
  const compression = compressionOf(descriptor.mediaType)
  const isChunked =
    compression === 'zstd' && chunkedAnnotations(descriptor).annotations !== undefined
  return isChunked ? 'zstd:chunked' : compression
}

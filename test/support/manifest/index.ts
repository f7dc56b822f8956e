import { type Manifest, parseManifestOrIndex, TsbuildError } from '#core'

/** The manifest of one image; an index is refused. */
export function parseManifest(bytes: Uint8Array, mediaType: string): Manifest {
  const parsed = parseManifestOrIndex(bytes, mediaType)
  if (parsed.kind === 'manifest') return parsed.manifest
  throw new TsbuildError('expected an image manifest, found an index', { code: 'MANIFEST_INVALID' })
}

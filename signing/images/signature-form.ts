import { type Digest, hexOf } from '#core'
import type { Repository } from '#registry-client'

/** Of a manifest with signatures, as cosign calls it where signatures refer to their image. */
export const SIGNATURE_ARTIFACT = 'application/vnd.dev.cosign.artifact.sig.v1+json'

/**
 * Names the key of a signature, beside it. It proves nothing; a signature that names a key and is not by it is
 * damaged, though, and not just another's.
 */
export const KEY_ANNOTATION = 'tsbuild.key'

/** The tag under which signatures of a manifest are looked for. */
export function signatureTag(digest: Digest): string {
  return `sha256-${hexOf(digest)}.sig`
}

/** How signatures name a repository: Docker Hub by the name of its index. */
export function signedName({ registry, name }: Repository): string {
  return `${registry === 'docker.io' ? 'index.docker.io' : registry}/${name}`
}

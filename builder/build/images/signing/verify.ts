import { type Descriptor, typedFailure } from '#core'
import { formatReference, parseReference, withDefaultTag } from '#registry-client'
import type { ProvenanceCheck, SignatureCheck } from '#signing'
import { clientFor, type ImageOptions } from '../image-services.ts'
import { type RebuildInput, type Rebuilt, rebuild } from './rebuild.ts'

/** What `verifyImage` is asked to check. */
export interface VerifyImageOptions extends ImageOptions {
  /** In a registry. */
  readonly name: string
  /** A public key, a file in PEM or `env://NAME`; default: signatures are not checked. */
  readonly key?: string | undefined
  /** What a signature must say besides. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
  /** What the image is built again of; default: it is not. */
  readonly rebuild?: RebuildInput | undefined
}

/** What became of it. The image is as it should be if nothing has a problem or a difference. */
export interface VerifiedImage {
  /** Canonical. */
  readonly name: string
  /** The manifest or the index that the name points to. */
  readonly root: Descriptor
  readonly signatures: SignatureCheck | undefined
  readonly provenance: ProvenanceCheck
  readonly rebuilt: Rebuilt | undefined
}

/**
 * Checks an image of a registry: whether it is signed by a key, whether its provenance is about it, and whether it
 * comes out bit for bit when it is built again, which is tried only if the rest is right.
 * @throws {TsbuildError} MANIFEST_INVALID, DIGEST_MISMATCH for what is damaged; USAGE, NOT_FOUND, registry failures
 */
export async function verifyImage(options: VerifyImageOptions): Promise<VerifiedImage> {
  const reference = withDefaultTag(parseReference(options.name))
  const { key, annotations = {}, rebuild: input, signal } = options
  try {
    const { checkProvenance, checkSignatures, imageVerifier, readKey } = await import('#signing')
    const verifier = key === undefined ? undefined : imageVerifier(readKey(key, process.env))
    await using client = clientFor(options)
    const repository = client.repository(reference)
    const root = await repository.fetchManifest(reference.digest ?? reference.tag ?? '', { signal })
    const { digest } = root.descriptor
    const signatures =
      verifier && (await checkSignatures(repository, digest, { verifier, annotations, signal }))
    const provenance = await checkProvenance(repository, root, { signal })
    const isSound = [...(signatures?.problems ?? []), ...provenance.problems].length === 0
    const again = { repository, tagOrDigest: digest, provenance: provenance.found, signal }
    const rebuilt = input && isSound ? await rebuild(again, input) : undefined
    return {
      ...{ name: formatReference(reference), root: root.descriptor },
      ...{ signatures, provenance, rebuilt },
    }
  } catch (cause) {
    throw typedFailure('verify', cause)
  }
}

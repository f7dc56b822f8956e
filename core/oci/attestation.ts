/** How an index says what is attested of its images. Spec: BuildKit, docs/attestations/attestation-storage.md */
import type { Descriptor } from './descriptor.ts'

/** The media type of a statement. Spec: in-toto attestation framework v1 */
export const STATEMENT_TYPE = 'application/vnd.in-toto+json'

/** Annotation of the layer that a statement is: the type of what it says. */
export const PREDICATE_TYPE = 'in-toto.io/predicate-type'

/** Annotation of an entry of an index that is no image: what it is. */
export const REFERENCE_TYPE = 'vnd.docker.reference.type'

/** Annotation of such an entry: the digest of the manifest that it is about. */
export const REFERENCE_DIGEST = 'vnd.docker.reference.digest'

/** The type of a manifest with statements. */
export const ATTESTATION_MANIFEST = 'attestation-manifest'

/** Whether an entry of an index has statements about another one. */
export function isAttestation({ annotations }: Pick<Descriptor, 'annotations'>): boolean {
  return annotations?.[REFERENCE_TYPE] === ATTESTATION_MANIFEST
}

import {
  ATTESTATION_MANIFEST,
  asDiffId,
  type Descriptor,
  type Digest,
  digestOf,
  EMPTY_DOCUMENT,
  type EncodedDocument,
  isAttestation,
  type ManifestDraft,
  MEDIA_TYPES,
  type Platform,
  PREDICATE_TYPE,
  REFERENCE_DIGEST,
  REFERENCE_TYPE,
  STATEMENT_TYPE,
  serializeManifest,
  type WrittenManifest,
} from '#core'
import type { ImageLayer } from './image-layer.ts'

/** What is said of an image in a manifest beside it, as an in-toto statement. */
export interface Attestation {
  readonly predicateType: string
  /** The statement about the image as it was written, whose digest it names. */
  readonly statement: (image: WrittenManifest) => Uint8Array
}

const ARTIFACT = 'application/vnd.docker.attestation.manifest.v1+json'
/** What is no image is listed for a platform that does not exist. */
const NO_PLATFORM: Platform = { architecture: 'unknown', os: 'unknown' }

/**
 * The manifest with the statements about an image: an artifact whose subject the image is, with a layer
 * for each. Spec: BuildKit, docs/attestations/attestation-storage.md
 */
export function attestationDraft(
  image: WrittenManifest,
  attestations: readonly Attestation[],
  { isArtifact }: { readonly isArtifact: boolean },
): ManifestDraft<ImageLayer> {
  const mediaType = MEDIA_TYPES.ociManifest
  const layers = attestations.map(({ statement }) => inMemory(statement(image)))
  const typed = (statements: readonly Descriptor[]): readonly Descriptor[] =>
    statements.map((layer, index) => {
      const type = attestations[index]?.predicateType ?? ''
      return { ...layer, annotations: { [PREDICATE_TYPE]: type } }
    })
  if (!isArtifact) {
    return {
      config: imageConfigOf(layers),
      layers,
      assemble: (config, statements) => {
        return {
          mediaType,
          bytes: serializeManifest({ mediaType, config, layers: typed(statements) }),
        }
      },
    }
  }
  return {
    config: EMPTY_DOCUMENT,
    layers,
    assemble: (config, statements) => ({
      mediaType,
      bytes: serializeManifest({
        mediaType,
        artifactType: ARTIFACT,
        config: { ...config, data: Buffer.from(EMPTY_DOCUMENT.bytes).toString('base64') },
        layers: typed(statements),
        subject: image.descriptor,
      }),
    }),
  }
}

/** The config of an image that cannot run, whose layers the statements are. */
function imageConfigOf(layers: readonly ImageLayer[]): EncodedDocument {
  const rootfs = { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) }
  const bytes = Buffer.from(JSON.stringify({ ...NO_PLATFORM, config: {}, rootfs }))
  return { mediaType: MEDIA_TYPES.ociConfig, bytes }
}

/** The entry of such a manifest in the index that lists the image. */
export function attestationEntry(manifest: Descriptor, image: Digest): Descriptor {
  const annotations = { [REFERENCE_DIGEST]: image, [REFERENCE_TYPE]: ATTESTATION_MANIFEST }
  return { ...manifest, annotations, platform: NO_PLATFORM }
}

/** The image that an entry of an index has statements about; `undefined` for an image. */
export function attestedImage(entry: Descriptor): string | undefined {
  return isAttestation(entry) ? entry.annotations?.[REFERENCE_DIGEST] : undefined
}

function inMemory(bytes: Uint8Array): ImageLayer {
  const digest = digestOf(bytes)
  const size = bytes.length
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    yield bytes
  }
  const source = { open: async () => read() }
  const blob = { descriptor: { mediaType: STATEMENT_TYPE, digest, size }, source }
  return { diffId: asDiffId(digest), size, blob, origin: undefined }
}

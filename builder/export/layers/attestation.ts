import {
  asDiffId,
  type Descriptor,
  type Digest,
  digestOf,
  type EncodedDocument,
  type ManifestDraft,
  MEDIA_TYPES,
  type Platform,
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

/** Annotation of the layer of a statement. */
export const PREDICATE_TYPE = 'in-toto.io/predicate-type'

const STATEMENT = 'application/vnd.in-toto+json'
const ARTIFACT = 'application/vnd.docker.attestation.manifest.v1+json'
const KIND = 'vnd.docker.reference.type'
const SUBJECT = 'vnd.docker.reference.digest'
const IS_ATTESTATION = 'attestation-manifest'
/** What is no image is listed for a platform that does not exist. */
const NO_PLATFORM: Platform = { architecture: 'unknown', os: 'unknown' }

/** Spec: image-spec v1.1 manifest.md#guidance-for-an-empty-descriptor */
const EMPTY = { mediaType: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') }

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
    config: EMPTY,
    layers,
    assemble: (config, statements) => ({
      mediaType,
      bytes: serializeManifest({
        mediaType,
        artifactType: ARTIFACT,
        config: { ...config, data: EMPTY.bytes.toString('base64') },
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
  const annotations = { [SUBJECT]: image, [KIND]: IS_ATTESTATION }
  return { ...manifest, annotations, platform: NO_PLATFORM }
}

/** The image that an entry of an index has statements about; `undefined` for an image. */
export function attestedImage({ annotations = {} }: Descriptor): string | undefined {
  return annotations[KIND] === IS_ATTESTATION ? annotations[SUBJECT] : undefined
}

function inMemory(bytes: Uint8Array): ImageLayer {
  const digest = digestOf(bytes)
  const size = bytes.length
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    yield bytes
  }
  const source = { open: async () => read() }
  const blob = { descriptor: { mediaType: STATEMENT, digest, size }, source }
  return { diffId: asDiffId(digest), size, blob, origin: undefined }
}

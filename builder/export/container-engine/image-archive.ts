import type { Writable } from 'node:stream'
import { counting, type Descriptor, hexOf, MEDIA_TYPES, serializeIndex } from '#core'
import { tarWriter } from '../archive/archive-writer.ts'
import type { Offer, OfferedLayer } from './offer.ts'

/** What of an offer goes into an archive. */
export interface ArchiveContent {
  /** The others are left out. */
  readonly layers: ReadonlySet<OfferedLayer>
  /** Called with how many bytes of a layer have been written. */
  readonly onBytes: (layer: OfferedLayer, written: number) => void
  readonly signal: AbortSignal | undefined
}

/**
 * Writes an OCI layout, which is an archive of `docker save`, too, as one tar. It has no names: those are
 * given when the engine has all layers. Spec: image-spec v1.1 image-layout.md
 */
export async function writeImageArchive(
  sink: Writable,
  offer: Offer,
  { layers, onBytes, signal }: ArchiveContent,
): Promise<void> {
  await using writer = await tarWriter(sink, signal)
  await writer.document('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'))
  await writer.document('index.json', layoutIndex(offer))
  await writer.document('manifest.json', dockerIndex(offer))
  for (const { descriptor, bytes } of offer.documents) {
    await writer.document(blobPath(descriptor), Buffer.from(bytes))
  }
  for (const layer of [...offer.statements, ...layers]) {
    const { size } = layer.descriptor
    const bytes = counting(await layer.open({ signal }), (written) => onBytes(layer, written))
    await writer.stream(blobPath(layer.descriptor), size, bytes)
  }
  await writer.finish()
}

/** Where a blob lies in a layout. */
export function blobPath({ digest }: Pick<Descriptor, 'digest'>): string {
  return `blobs/sha256/${hexOf(digest)}`
}

/** The index of a layout of one image without a name. */
export function layoutIndex({ root }: Pick<Offer, 'root'>): Buffer {
  return serializeIndex({ mediaType: MEDIA_TYPES.ociIndex, manifests: [root] })
}

/** Spec: the image format of `docker save`, as far as `docker load` reads it */
function dockerIndex({ local: { config, layers } }: Offer): Buffer {
  const Layers = layers.map(({ descriptor }) => blobPath(descriptor))
  return Buffer.from(JSON.stringify([{ Config: blobPath(config), RepoTags: [], Layers }]))
}

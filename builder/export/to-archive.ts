import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from '#cache'
import {
  type Bytes,
  type Compression,
  type Descriptor,
  type DiffId,
  type Digest,
  Digester,
  digestOf,
  hexOf,
  MEDIA_TYPES,
  type Platform,
  serializeIndex,
  throwIfCancelled,
} from '#core'
import { type Document, familiarReference, parseReference } from '#registry-client'
import type { ArchiveWriter } from './archive-writer.ts'
import { type FinishedImage, type ImageLayer, type ImageSet, withPlatforms } from './image.ts'
import { layerBlob } from './layer-blob.ts'
import { indexDocument, manifestDocument } from './manifest.ts'
import { readFile } from './read-file.ts'

export interface ArchiveOptions {
  readonly store: Store
  readonly names: readonly string[]
  readonly compression: Compression
  /** `docker` adds the manifest.json that `docker load` reads. */
  readonly format: 'oci' | 'docker'
  readonly signal: AbortSignal | undefined
}

/** Writes an OCI layout, as a folder or as one tar. Spec: image-spec v1.1 image-layout.md */
export async function exportToArchive(
  { images, isIndex }: ImageSet,
  writer: ArchiveWriter,
  options: ArchiveOptions,
): Promise<Descriptor> {
  await using temporary = options.store.temporary()
  await writer.document('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'))
  const archive: Archive = {
    writer,
    options,
    scratch: join(temporary.path, 'layer'),
    written: new Map(),
  }
  const written: WrittenImage[] = []
  for (const image of images) written.push(await writeImage(image, archive))
  const [first] = written
  if (first === undefined) throw new Error('a build has at least one image')
  const target = isIndex ? await writeIndex(images, written, archive) : first.manifest
  const entry = isIndex ? target : { ...target, platform: first.platform }
  await writer.document('index.json', namesOf(entry, options.names))
  if (options.format === 'docker') {
    await writer.document('manifest.json', dockerManifest(first, options.names))
  }
  return target
}

/** An archive that is being written. */
interface Archive {
  readonly writer: ArchiveWriter
  readonly options: ArchiveOptions
  /** Where a layer is packed before it is written. */
  readonly scratch: string
  /** Layers that are in it: by the blob that they came as, else by their diffID. */
  readonly written: Map<Digest | DiffId, Descriptor>
}

interface WrittenImage {
  readonly platform: Platform
  readonly manifest: Descriptor
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

async function writeImage(image: FinishedImage, archive: Archive): Promise<WrittenImage> {
  const { writer, options, written } = archive
  const layers: Descriptor[] = []
  for (const layer of image.layers) {
    throwIfCancelled(options.signal, 'write the archive')
    const key = layer.blob?.descriptor.digest ?? layer.diffId
    const descriptor = written.get(key) ?? (await writeLayerBlob(layer, archive))
    written.set(key, descriptor)
    layers.push(descriptor)
  }
  const bytes = image.configBytes
  const config = await writeDocument(writer, { mediaType: MEDIA_TYPES.ociConfig, bytes })
  const manifest = await writeDocument(writer, manifestDocument(config, layers))
  return { platform: image.platform, manifest, config, layers }
}

function writeIndex(
  images: readonly FinishedImage[],
  written: readonly WrittenImage[],
  { writer }: Archive,
): Promise<Descriptor> {
  const manifests = written.map(({ manifest }) => manifest)
  return writeDocument(writer, indexDocument(withPlatforms(images, manifests)))
}

async function writeLayerBlob(
  layer: ImageLayer,
  { writer, options, scratch }: Archive,
): Promise<Descriptor> {
  const { store, compression, signal } = options
  const blob = layerBlob(layer, compression, store)
  const { mediaType } = blob
  if (blob.descriptor !== undefined) {
    await writer.stream(
      blobPath(blob.descriptor),
      blob.descriptor.size,
      await blob.open({ signal }),
    )
    return blob.descriptor
  }
  // The name and the header of an archive member come before its bytes, so it is packed aside first.
  const packed = await spool(await blob.open({ signal }), scratch)
  const descriptor = { mediaType, ...packed }
  await writer.stream(blobPath(descriptor), packed.size, readFile(scratch))
  return descriptor
}

async function spool(bytes: Bytes, file: string): Promise<Pick<Descriptor, 'digest' | 'size'>> {
  const digester = new Digester()
  await using handle = await open(file, 'w')
  for await (const chunk of bytes) {
    digester.update(chunk)
    await handle.writeFile(chunk)
  }
  return { digest: digester.digest(), size: digester.size }
}

async function writeDocument(
  writer: ArchiveWriter,
  { mediaType, bytes }: Document,
): Promise<Descriptor> {
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
  await writer.document(blobPath(descriptor), Buffer.from(bytes))
  return descriptor
}

function blobPath({ digest }: Pick<Descriptor, 'digest'>): string {
  return `blobs/sha256/${hexOf(digest)}`
}

/** The layout's own index: one entry for each name. */
function namesOf(target: Descriptor, names: readonly string[]): Buffer {
  const named = names.map((name) => ({
    ...target,
    annotations: {
      'io.containerd.image.name': name,
      'org.opencontainers.image.ref.name': parseReference(name).tag ?? name,
    },
  }))
  const manifests = named.length > 0 ? named : [target]
  return serializeIndex({ mediaType: MEDIA_TYPES.ociIndex, manifests })
}

function dockerManifest({ config, layers }: WrittenImage, names: readonly string[]): Buffer {
  const RepoTags = names.map((name) => familiarReference(parseReference(name)))
  const image = { Config: blobPath(config), RepoTags, Layers: layers.map(blobPath) }
  return Buffer.from(JSON.stringify([image]))
}

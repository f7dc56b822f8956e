import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from '#cache'
import {
  type Bytes,
  type Compression,
  type Descriptor,
  type DiffId,
  Digester,
  digestOf,
  hexOf,
  MEDIA_TYPES,
  serializeIndex,
  throwIfCancelled,
} from '#core'
import { familiarReference, parseReference } from '#registry-client'
import type { ArchiveWriter } from './archive-writer.ts'
import type { FinishedImage, ImageLayer } from './image.ts'
import { layerBlob } from './layer-blob.ts'
import { manifestDocument } from './manifest.ts'
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
  image: FinishedImage,
  writer: ArchiveWriter,
  options: ArchiveOptions,
): Promise<Descriptor> {
  const { store, names, compression, format, signal } = options
  await using temporary = store.temporary()
  await writer.document('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'))
  const layers: Descriptor[] = []
  const scratch = join(temporary.path, 'layer')
  const written = new Map<DiffId, Descriptor>()
  for (const layer of image.layers) {
    throwIfCancelled(signal, 'write the archive')
    const descriptor =
      written.get(layer.diffId) ??
      (await writeLayerBlob(layer, writer, { store, compression, scratch, signal }))
    written.set(layer.diffId, descriptor)
    layers.push(descriptor)
  }
  const config = await writeDocument(writer, MEDIA_TYPES.ociConfig, image.configBytes)
  const document = manifestDocument(config, layers)
  const manifest = await writeDocument(writer, document.mediaType, Buffer.from(document.bytes))
  await writer.document('index.json', indexOf(manifest, names, image))
  if (format === 'docker') {
    await writer.document('manifest.json', dockerManifest(config, layers, names))
  }
  return manifest
}

async function writeLayerBlob(
  layer: ImageLayer,
  writer: ArchiveWriter,
  options: Pick<ArchiveOptions, 'store' | 'compression' | 'signal'> & { readonly scratch: string },
): Promise<Descriptor> {
  const { store, compression, scratch, signal } = options
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
  mediaType: string,
  bytes: Buffer,
): Promise<Descriptor> {
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
  await writer.document(blobPath(descriptor), bytes)
  return descriptor
}

function blobPath({ digest }: Pick<Descriptor, 'digest'>): string {
  return `blobs/sha256/${hexOf(digest)}`
}

function indexOf(manifest: Descriptor, names: readonly string[], image: FinishedImage): Buffer {
  const { platform } = image.config
  const named = names.map((name) => ({
    ...manifest,
    platform,
    annotations: {
      'io.containerd.image.name': name,
      'org.opencontainers.image.ref.name': parseReference(name).tag ?? name,
    },
  }))
  const manifests = named.length > 0 ? named : [{ ...manifest, platform }]
  return serializeIndex({ mediaType: MEDIA_TYPES.ociIndex, manifests })
}

function dockerManifest(
  config: Descriptor,
  layers: readonly Descriptor[],
  names: readonly string[],
): Buffer {
  const RepoTags = names.map((name) => familiarReference(parseReference(name)))
  const image = { Config: blobPath(config), RepoTags, Layers: layers.map(blobPath) }
  return Buffer.from(JSON.stringify([image]))
}

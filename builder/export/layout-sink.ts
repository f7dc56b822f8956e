import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { TemporaryDirectory } from '#cache'
import {
  type Bytes,
  type Compression,
  type Descriptor,
  type Digest,
  Digester,
  describeDocument,
  type EncodedDocument,
  type GraphSink,
  hexOf,
  MEDIA_TYPES,
  serializeIndex,
  type WrittenGraph,
} from '#core'
import { familiarReference, parseReference } from '#registry-client'
import type { ArchiveWriter } from './archive/archive-writer.ts'
import { readFile } from './archive/read-file.ts'
import { type ImageLayer, layerKey } from './layers/image-layer.ts'
import { type LayerBlobs, layerBlob } from './layers/layer-blob.ts'
import { draftFor, hasRoom, keepDraft, rememberPacked } from './layers/packing.ts'

/** What a layout holds beside blobs, and how its layers are packed. */
export interface LayoutOptions extends LayerBlobs {
  /** Canonical references. */
  readonly names: readonly string[]
  readonly compression: Compression
  /** `docker` adds the manifest.json that `docker load` reads. */
  readonly format: 'oci' | 'docker'
  /** Of the only image, for its entry in the layout's index. */
  readonly platform: Descriptor['platform']
  /** What the layout's index says of the image or the index. */
  readonly describe: (root: Descriptor) => Descriptor
  /** Where a layer is packed before it is written. */
  readonly temporary: TemporaryDirectory
}

/**
 * An OCI layout as a sink, in a folder or in one tar, which takes one member after the other.
 * Spec: image-spec v1.1 image-layout.md
 */
export function layoutSink(writer: ArchiveWriter, options: LayoutOptions): GraphSink<ImageLayer> {
  const written = new Set<Digest>()
  const put = async (document: EncodedDocument): Promise<Descriptor> => {
    const descriptor = describeDocument(document)
    // An archive would have it twice.
    if (written.has(descriptor.digest)) return descriptor
    written.add(descriptor.digest)
    await writer.document(blobPath(descriptor), Buffer.from(document.bytes))
    return descriptor
  }
  return {
    concurrency: 1,
    keyOf: layerKey,
    putLayer: (layer, { signal }) => putLayer(layer, writer, { ...options, signal }),
    putConfig: put,
    putManifest: put,
    name: async (graph) => {
      await writer.document('index.json', layoutIndex(graph, options))
      if (options.format === 'docker') {
        await writer.document('manifest.json', dockerManifest(graph, options.names))
      }
    },
  }
}

async function putLayer(
  layer: ImageLayer,
  writer: ArchiveWriter,
  options: LayoutOptions & { readonly signal?: AbortSignal | undefined },
): Promise<Descriptor> {
  const { early, store, compression, level, temporary, signal } = options
  // Its size comes first.
  await early?.find(layer.diffId, compression)?.made.catch(() => undefined)
  const blob = layerBlob(layer, compression, options)
  const { mediaType, descriptor: known } = blob
  if (known !== undefined) {
    const draft = draftFor(store, known.size)
    await writer.stream(blobPath(known), known.size, await blob.open({ signal, draft }))
    keepDraft(store, draft, known)
    return known
  }
  // The name and the header of an archive member come before its bytes, so it is packed aside first.
  const scratch = join(temporary.path, 'layer')
  const packed = await spool(await blob.open({ signal }), scratch)
  const descriptor = blob.describe({ mediaType, ...packed })
  await writer.stream(blobPath(descriptor), packed.size, readFile(scratch))
  if (hasRoom(store, packed.size)) store.blobs.keep(scratch, packed)
  rememberPacked(store, layer.diffId, { ...descriptor, packing: { compression, level } })
  return descriptor
}

/** Writes a blob to a file. */
export async function spool(
  bytes: Bytes,
  file: string,
): Promise<Pick<Descriptor, 'digest' | 'size'>> {
  const digester = new Digester()
  await using handle = await open(file, 'w')
  for await (const chunk of bytes) {
    digester.update(chunk)
    await handle.writeFile(chunk)
  }
  return { digest: digester.digest(), size: digester.size }
}

function blobPath({ digest }: Pick<Descriptor, 'digest'>): string {
  return `blobs/sha256/${hexOf(digest)}`
}

/** The layout's own index: one entry for each name. */
function layoutIndex(graph: WrittenGraph, { names, platform, describe }: LayoutOptions): Buffer {
  const root = describe(graph.root)
  const target = platform === undefined ? root : { ...root, platform }
  const named = names.map((name) => ({
    ...target,
    annotations: {
      ...root.annotations,
      'io.containerd.image.name': name,
      'org.opencontainers.image.ref.name': parseReference(name).tag ?? name,
    },
  }))
  const manifests = named.length > 0 ? named : [target]
  return serializeIndex({ mediaType: MEDIA_TYPES.ociIndex, manifests })
}

/** Spec: the image format of `docker save`, as far as `docker load` reads it */
function dockerManifest({ manifests }: WrittenGraph, names: readonly string[]): Buffer {
  const [{ config, layers }] = manifests
  const RepoTags = names.map((name) => familiarReference(parseReference(name)))
  const image = { Config: blobPath(config), RepoTags, Layers: layers.map(blobPath) }
  return Buffer.from(JSON.stringify([image]))
}

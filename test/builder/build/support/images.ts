import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import tar from 'tar-stream'
import {
  type Compression,
  type ContainerConfig,
  type Descriptor,
  type DiffId,
  digestOf,
  hexOf,
  hostPlatform,
  MEDIA_TYPES,
  type Platform,
  parseDiffId,
  serializeImageConfig,
  serializeIndex,
  serializeManifest,
} from '#core'
import type { MemoryRegistry } from '../../../support/registry/index.ts'

/** A layer as another program may have made it. */
export interface ForeignLayer {
  readonly descriptor: Descriptor
  readonly diffId: DiffId
  readonly bytes: Buffer
}

export interface ForeignImage {
  readonly manifest: { readonly descriptor: Descriptor; readonly bytes: Buffer }
  readonly config: { readonly descriptor: Descriptor; readonly bytes: Buffer }
  readonly layers: readonly ForeignLayer[]
}

type Family = 'oci' | 'docker'

const LAYER_TYPES: Readonly<Record<Family, Readonly<Record<Compression, string>>>> = {
  oci: {
    none: MEDIA_TYPES.ociLayer,
    gzip: MEDIA_TYPES.ociLayerGzip,
    zstd: MEDIA_TYPES.ociLayerZstd,
    'zstd:chunked': MEDIA_TYPES.ociLayerZstd,
  },
  docker: {
    none: MEDIA_TYPES.dockerLayer,
    gzip: MEDIA_TYPES.dockerLayerGzip,
    zstd: MEDIA_TYPES.dockerLayerZstd,
    'zstd:chunked': MEDIA_TYPES.dockerLayerZstd,
  },
}

/** Packs files by path; a name that ends in a slash is a folder. */
export async function foreignLayer(
  files: Readonly<Record<string, string | Buffer>>,
  compression: Compression = 'gzip',
  family: Family = 'oci',
): Promise<ForeignLayer> {
  const pack = tar.pack()
  for (const [name, content] of Object.entries(files)) {
    const mtime = new Date(1e12)
    if (name.endsWith('/')) pack.entry({ name, type: 'directory', mode: 0o755, mtime })
    else pack.entry({ name, mode: 0o644, mtime }, content)
  }
  pack.finalize()
  const plain = await buffer(pack)
  const diffId = parseDiffId(digestOf(plain))
  const bytes = packed(plain, compression)
  const mediaType = LAYER_TYPES[family][compression]
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, diffId, bytes }
}

function packed(plain: Buffer, compression: Compression): Buffer {
  if (compression === 'none') return plain
  return compression === 'gzip' ? gzipSync(plain) : zstdCompressSync(plain)
}

export interface ForeignOptions {
  readonly config?: ContainerConfig
  readonly platform?: Platform
  readonly family?: Family
  /** What the config claims, where that differs. */
  readonly diffIds?: readonly DiffId[]
}

export function foreignImage(
  layers: readonly ForeignLayer[],
  options: ForeignOptions = {},
): ForeignImage {
  const { family = 'oci', platform = hostPlatform(), config = {} } = options
  const created = '2020-01-02T03:04:05Z'
  const configBytes = serializeImageConfig({
    platform,
    created,
    config,
    diffIds: options.diffIds ?? layers.map(({ diffId }) => diffId),
    history: layers.map((_, index) => ({ created, created_by: `layer ${index}` })),
  })
  const isOci = family === 'oci'
  const configType = isOci ? MEDIA_TYPES.ociConfig : MEDIA_TYPES.dockerConfig
  const descriptor = described(configType, configBytes)
  const mediaType = isOci ? MEDIA_TYPES.ociManifest : MEDIA_TYPES.dockerManifest
  const bytes = serializeManifest({
    mediaType,
    config: descriptor,
    layers: layers.map((layer) => layer.descriptor),
  })
  return {
    manifest: { descriptor: { ...described(mediaType, bytes), platform }, bytes },
    config: { descriptor, bytes: configBytes },
    layers,
  }
}

function described(mediaType: string, bytes: Buffer): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

/** Puts an image into a registry under a tag. */
export function publish(registry: MemoryRegistry, name: string, image: ForeignImage): void {
  const [repository = '', tag = 'latest'] = name.split(':')
  for (const { bytes } of [...image.layers, image.config]) registry.addBlob(repository, bytes)
  const { descriptor, bytes } = image.manifest
  registry.addManifest(repository, tag, { mediaType: descriptor.mediaType, bytes })
}

/** One tag for several platforms. */
export function publishIndex(
  registry: MemoryRegistry,
  name: string,
  options: { readonly images: readonly ForeignImage[]; readonly family?: Family },
): void {
  const [repository = '', tag = 'latest'] = name.split(':')
  for (const image of options.images) publish(registry, `${repository}:x`, image)
  const mediaType = options.family === 'docker' ? MEDIA_TYPES.dockerIndex : MEDIA_TYPES.ociIndex
  const manifests = options.images.map(({ manifest }) => manifest.descriptor)
  registry.addManifest(repository, tag, {
    mediaType,
    bytes: serializeIndex({ mediaType, manifests }),
  })
}

/** Writes an OCI layout with one image. */
export function writeLayout(directory: string, image: ForeignImage, tag: string): void {
  const blobs = join(directory, 'blobs', 'sha256')
  mkdirSync(blobs, { recursive: true })
  for (const { descriptor, bytes } of [...image.layers, image.config, image.manifest]) {
    writeFileSync(join(blobs, hexOf(descriptor.digest)), bytes)
  }
  const annotations = { 'org.opencontainers.image.ref.name': tag }
  const manifests = [{ ...image.manifest.descriptor, annotations }]
  const index = serializeIndex({ mediaType: MEDIA_TYPES.ociIndex, manifests })
  writeFileSync(join(directory, 'index.json'), index)
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
}

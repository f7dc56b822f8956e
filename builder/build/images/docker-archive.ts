import { closeSync, openSync, readSync } from 'node:fs'
import { detectCompression } from '#builder/layer'
import {
  type Compression,
  type Descriptor,
  type Digest,
  digestOf,
  MEDIA_TYPES,
  parseImageConfig,
  readDocument,
  serializeManifest,
  shapes,
  TsbuildError,
} from '#core'
import type { ArchiveFile, ArchiveFiles } from './archive-files.ts'

const { list, object, string } = shapes
const IMAGES = list(object({ Config: string, RepoTags: list(string), Layers: list(string) }))
const READING = { what: 'manifest.json', code: 'MANIFEST_INVALID' } as const

/** Manifests for what has none. */
export interface DockerImages {
  readonly images: readonly { readonly names: readonly string[]; readonly digest: Digest }[]
  readonly documents: ReadonlyMap<Digest, Buffer>
}

/**
 * The images of an archive of `docker save`, skopeo or podman, with a manifest made for each: layers stay as they
 * lie there. Spec: the image format of `docker save`
 * @throws {TsbuildError} MANIFEST_INVALID
 */
export function dockerImages(
  manifest: Buffer,
  files: ArchiveFiles,
  read: (file: ArchiveFile) => Buffer,
): DockerImages {
  const documents = new Map<Digest, Buffer>()
  const images = readDocument(manifest, IMAGES, READING).map((image) => {
    const config = find(files, image.Config ?? '')
    const layers = (image.Layers ?? []).map((name) => describeLayer(find(files, name)))
    const { diffIds } = parseImageConfig(read(config))
    if (diffIds.length !== layers.length) {
      throw invalidError(
        `${image.Config} names ${diffIds.length} layers instead of ${layers.length}`,
      )
    }
    const { digest, size } = config
    const mediaType = MEDIA_TYPES.ociManifest
    const described = { mediaType: MEDIA_TYPES.ociConfig, digest, size }
    const bytes = serializeManifest({ mediaType, config: described, layers })
    documents.set(digestOf(bytes), bytes)
    return { names: image.RepoTags ?? [], digest: digestOf(bytes) }
  })
  return { images, documents }
}

function find(files: ArchiveFiles, name: string): ArchiveFile {
  const file = files.get(name)
  if (file !== undefined) return file
  throw invalidError(`the archive lacks ${JSON.stringify(name.slice(0, 200))}`)
}

const TYPES: Readonly<Record<Compression, string>> = {
  none: MEDIA_TYPES.ociLayer,
  gzip: MEDIA_TYPES.ociLayerGzip,
  zstd: MEDIA_TYPES.ociLayerZstd,
  'zstd:chunked': MEDIA_TYPES.ociLayerZstd,
}

function describeLayer({ path, digest, size }: ArchiveFile): Descriptor {
  const start = Buffer.alloc(6)
  const fd = openSync(path, 'r')
  try {
    readSync(fd, start)
  } finally {
    closeSync(fd)
  }
  const compression = detectCompression(start)
  if (compression === 'xz' || compression === 'bzip2') {
    throw invalidError(`a layer is packed with ${compression}`)
  }
  return { mediaType: TYPES[compression], digest, size }
}

function invalidError(what: string): TsbuildError {
  return new TsbuildError(`read the archive: ${what}`, {
    code: 'MANIFEST_INVALID',
    hint: 'it is damaged or incomplete: save the image again',
  })
}

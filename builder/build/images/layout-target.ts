import type { ArchiveWriter } from '#builder/export'
import {
  collect,
  type Descriptor,
  type Digest,
  describeDocument,
  hexOf,
  hostPlatform,
  isDigest,
  MAX_DOCUMENT_BYTES,
  MEDIA_TYPES,
  serializeIndex,
  TsbuildError,
} from '#core'
import {
  type CopySink,
  type FetchedManifest,
  familiarReference,
  type ImageSource,
  type PushProgress,
  parseReference,
  reportingBytes,
  resolveImage,
} from '#registry-client'

/** An image in an archive that is written. */
interface Entry {
  readonly descriptor: Descriptor
  /** Canonical references, or a tag alone. */
  readonly names: readonly string[]
}

/** `docker` adds the manifest.json that `docker load` reads. */
export type ArchiveFormat = 'docker' | 'oci'

/** Bytes: thousands of configs. */
const MAX_KEPT = 128 * 1024 * 1024

/**
 * An OCI layout, in a folder or a tar, that takes copies of images one after the other, each blob once.
 * Spec: image-spec v1.1 image-layout.md
 */
export class LayoutTarget {
  readonly #writer: ArchiveWriter
  readonly #onProgress: (progress: PushProgress) => void
  readonly #written = new Set<Digest>()
  readonly #documents = new Map<Digest, FetchedManifest>()
  readonly #configs = new Map<Digest, Buffer>()
  readonly #entries: Entry[] = []
  readonly #format: ArchiveFormat
  /** Bytes of the documents that are in memory for docker's manifest.json. */
  #kept = 0

  constructor(
    writer: ArchiveWriter,
    format: ArchiveFormat,
    onProgress: (progress: PushProgress) => void,
  ) {
    this.#writer = writer
    this.#format = format
    this.#onProgress = onProgress
  }

  /** Takes one copy. @param names canonical references, or a tag alone */
  sink(names: readonly string[]): CopySink {
    return {
      // A tar takes one member after the other.
      concurrency: 1,
      putBlob: async (blob) => {
        const { digest, size } = blob.descriptor
        if (this.#written.has(digest)) return
        this.#written.add(digest)
        const bytes = await reportingBytes(blob, this.#onProgress, size)()
        if (isConfig(blob.descriptor)) {
          const config = await collect(bytes, MAX_DOCUMENT_BYTES)
          if (this.#keeps(size)) this.#configs.set(digest, config)
          await this.#writer.document(blobPath(blob.descriptor), config)
        } else await this.#writer.stream(blobPath(blob.descriptor), size, bytes)
        this.#onProgress({ id: blob.id, current: size, total: size, done: true })
      },
      putManifest: async ({ mediaType, bytes }) => {
        const document = {
          descriptor: describeDocument({ mediaType, bytes }),
          bytes: Buffer.from(bytes),
        }
        const { digest } = document.descriptor
        if (this.#keeps(bytes.length)) this.#documents.set(digest, document)
        if (this.#written.has(digest)) return
        this.#written.add(digest)
        await this.#writer.document(blobPath(document.descriptor), document.bytes)
      },
      name: async ({ descriptor: { annotations: _, ...descriptor } }) => {
        this.#entries.push({ descriptor, names })
      },
    }
  }

  /** Writes what lists the images; `others` are entries that the folder has already. */
  async finish(others: readonly Descriptor[] = []): Promise<void> {
    await this.#writer.document('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'))
    if (this.#format === 'docker')
      await this.#writer.document('manifest.json', await this.#dockerIndex())
    const entries = this.#entries.flatMap(namedEntries)
    const names = new Set(entries.map(refOf))
    const kept = others.filter((one) => refOf(one) === undefined || !names.has(refOf(one)))
    const manifests = [...kept, ...entries]
    await this.#writer.document(
      'index.json',
      serializeIndex({ mediaType: MEDIA_TYPES.ociIndex, manifests }),
    )
    await this.#writer.finish()
  }

  /** Spec: the image format of `docker save`, as far as `docker load` reads it */
  async #dockerIndex(): Promise<Buffer> {
    const images = []
    for (const { descriptor, names } of this.#entries) {
      const platform = hostPlatform()
      const { manifest } = await resolveImage(this.#source(), descriptor.digest, { platform })
      const RepoTags = names.flatMap((name) => {
        const { registry, repository, tag } = parseReference(name)
        return tag === undefined ? [] : [familiarReference({ registry, repository, tag })]
      })
      const Layers = manifest.layers.map(blobPath)
      images.push({ Config: blobPath(manifest.config), RepoTags, Layers })
    }
    return Buffer.from(JSON.stringify(images))
  }

  /** @throws {TsbuildError} MANIFEST_INVALID for more than real images have */
  #keeps(bytes: number): boolean {
    if (this.#format !== 'docker') return false
    this.#kept += bytes
    if (this.#kept <= MAX_KEPT) return true
    throw new TsbuildError(`the documents of the images have more than ${MAX_KEPT} bytes`, {
      code: 'MANIFEST_INVALID',
      hint: 'choose one image with --platform, or write an OCI archive',
    })
  }

  #source(): ImageSource {
    const missing = (digest: string): Error => new Error(`${digest} was not written`)
    return {
      fetchManifest: async (digest) => {
        const found = isDigest(digest) ? this.#documents.get(digest) : undefined
        if (found === undefined) throw missing(digest)
        return found
      },
      open: async ({ digest }) => {
        const config = this.#configs.get(digest)
        if (config === undefined) throw missing(digest)
        return one(config)
      },
    }
  }
}

async function* one(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}

function isConfig({ mediaType, size }: Descriptor): boolean {
  const isKnown = mediaType === MEDIA_TYPES.ociConfig || mediaType === MEDIA_TYPES.dockerConfig
  return isKnown && size <= MAX_DOCUMENT_BYTES
}

function namedEntries({ descriptor, names }: Entry): readonly Descriptor[] {
  if (names.length === 0) return [descriptor]
  return names.map((name) => ({ ...descriptor, annotations: annotationsOf(name) }))
}

const REF_NAME = 'org.opencontainers.image.ref.name'

/** A whole name is for containerd and docker; others look for the tag. */
function annotationsOf(name: string): Readonly<Record<string, string>> {
  if (!name.includes('/')) return { [REF_NAME]: name }
  return { 'io.containerd.image.name': name, [REF_NAME]: parseReference(name).tag ?? name }
}

function refOf({ annotations }: Descriptor): string | undefined {
  return annotations?.[REF_NAME]
}

function blobPath({ digest }: Pick<Descriptor, 'digest'>): string {
  return `blobs/sha256/${hexOf(digest)}`
}

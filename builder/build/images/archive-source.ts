import { createReadStream, readFileSync } from 'node:fs'
import {
  type Bytes,
  type Digest,
  digestOf,
  hexOf,
  isDigest,
  isIndexType,
  isManifestType,
  MAX_DOCUMENT_BYTES,
  mediaTypeOf,
  parseIndex,
  TsbuildError,
  verified,
} from '#core'
import { type ImageSource, parseReference } from '#registry-client'
import type { ArchiveFile, ArchiveFiles } from './archive-files.ts'
import { dockerImages } from './docker-archive.ts'

/** An image of an archive. */
export interface ArchivedImage {
  /** As the archive has them; none where it has only a tag, or nothing. */
  readonly names: readonly string[]
  /** All that the archive calls it, tags alone as well. */
  readonly labels: readonly string[]
  readonly digest: Digest
}

/** An archive whose files lie in a folder. */
export interface ArchiveSource {
  /** In the order of the archive. */
  readonly images: readonly ArchivedImage[]
  /** Reads by digest. */
  readonly source: ImageSource
}

/**
 * The images of an OCI archive, or of one that `docker save` writes. An archive that is both is read as the first:
 * it has the manifests.
 * @throws {TsbuildError} MANIFEST_INVALID
 */
export function archiveSource(files: ArchiveFiles, name: string): ArchiveSource {
  const blobs = new Map<Digest, ArchiveFile>()
  for (const file of files.values()) blobs.set(file.digest, file)
  const index = files.get('index.json')
  const manifest = files.get('manifest.json')
  if (files.has('oci-layout') && index !== undefined) {
    return { images: layoutImages(readSmall(index)), source: fileSource(blobs, new Map()) }
  }
  if (manifest === undefined) {
    throw new TsbuildError(`read ${name}: it has neither an index.json nor a manifest.json`, {
      code: 'MANIFEST_INVALID',
      hint: 'a root file system becomes an image with FROM scratch and ADD',
    })
  }
  const { images: made, documents } = dockerImages(readSmall(manifest), files, readSmall)
  const images = made.map((image) => ({ ...image, labels: image.names }))
  return { images, source: fileSource(blobs, documents) }
}

/** Entries for one digest are one image. */
function layoutImages(index: Buffer): readonly ArchivedImage[] {
  const names = new Map<Digest, Set<string>>()
  for (const { mediaType, digest, annotations = {} } of parseIndex(index).manifests) {
    if (!isManifestType(mediaType) && !isIndexType(mediaType)) continue
    const known = names.get(digest) ?? new Set()
    names.set(digest, known)
    for (const key of ['io.containerd.image.name', 'org.opencontainers.image.ref.name']) {
      const written = annotations[key]
      if (written !== undefined) known.add(written)
    }
  }
  return [...names].map(([digest, all]) => {
    return { digest, labels: [...all], names: [...all].filter(isName) }
  })
}

/** A tag alone names nothing. */
function isName(text: string): boolean {
  if (!/[/:]/.test(text)) return false
  try {
    parseReference(text)
    return true
  } catch (cause) {
    if (cause instanceof TsbuildError) return false
    throw cause
  }
}

/** @param documents what was made of the archive: manifests that it does not have */
function fileSource(
  files: ReadonlyMap<Digest, ArchiveFile>,
  documents: ReadonlyMap<Digest, Buffer>,
): ImageSource {
  const bytesOf = async (digest: Digest): Promise<Buffer> => {
    const made = documents.get(digest)
    if (made !== undefined) return made
    return readSmall(fileOf(digest))
  }
  const fileOf = (digest: Digest): ArchiveFile => {
    const file = files.get(digest)
    if (file !== undefined) return file
    throw new TsbuildError(`the archive lacks the blob ${hexOf(digest)}`, {
      code: 'NOT_FOUND',
      hint: 'it is incomplete: save the image again',
    })
  }
  return {
    fetchManifest: async (digest) => {
      if (!isDigest(digest)) throw new Error('images of an archive are read by digest')
      const bytes = await bytesOf(digest)
      const mediaType = mediaTypeOf(bytes)
      if (mediaType === undefined || digestOf(bytes) !== digest) {
        throw new TsbuildError(`${digest} of the archive is not a manifest`, {
          code: 'MANIFEST_INVALID',
        })
      }
      return { descriptor: { mediaType, digest, size: bytes.length }, bytes }
    },
    open: async (descriptor) => verified(readFile(fileOf(descriptor.digest)), descriptor),
  }
}

async function* readFile({ path }: ArchiveFile): Bytes {
  yield* createReadStream(path)
}

/** @throws {TsbuildError} MANIFEST_INVALID for what is too large for a document */
function readSmall({ path, size }: ArchiveFile): Buffer {
  if (size <= MAX_DOCUMENT_BYTES) return readFileSync(path)
  throw new TsbuildError(
    `a document of the archive has ${size} bytes, more than ${MAX_DOCUMENT_BYTES}`,
    {
      code: 'MANIFEST_INVALID',
    },
  )
}

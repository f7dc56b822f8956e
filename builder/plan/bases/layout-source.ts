import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bytes,
  collect,
  type Descriptor,
  type Digest,
  errnoOf,
  hexOf,
  ioError,
  isDigest,
  MAX_DOCUMENT_BYTES,
  mediaTypeOf,
  parseIndex,
  TsbuildError,
  verified,
} from '#core'
import type { ImageSource } from '#registry-client'

const CHUNK = 1 << 20

/**
 * An untrusted OCI image layout: read-only, regular files only, links are not followed.
 * Spec: image-spec v1.1 image-layout.md
 */
export function layoutSource(directory: string): ImageSource {
  return {
    fetchManifest: async (tagOrDigest) => {
      const descriptor = isDigest(tagOrDigest)
        ? describeBlob(directory, tagOrDigest)
        : findTag(directory, tagOrDigest)
      const { digest, size } = descriptor
      if (size > MAX_DOCUMENT_BYTES) throw tooLargeError(directory, blobPath(digest))
      const bytes = verified(readBlob(directory, digest), descriptor)
      return { descriptor, bytes: await collect(bytes, MAX_DOCUMENT_BYTES) }
    },
    open: async (descriptor) => verified(readBlob(directory, descriptor.digest), descriptor),
  }
}

function findTag(directory: string, tag: string): Descriptor {
  const { manifests } = parseIndex(readDocument(directory, 'index.json'))
  const named = manifests.find((manifest) => {
    const name = manifest.annotations?.['org.opencontainers.image.ref.name']
    return name === tag || name?.endsWith(`:${tag}`) === true
  })
  const [only] = manifests
  const found = named ?? (tag === 'latest' && manifests.length === 1 ? only : undefined)
  if (found !== undefined) return found
  throw new TsbuildError(`oci-layout ${directory}: no image with the tag ${tag}`, {
    code: 'NOT_FOUND',
    hint: `it has ${manifests.length} images; name one with oci-layout://${directory}:TAG or @DIGEST`,
  })
}

function describeBlob(directory: string, digest: Digest): Descriptor {
  const bytes = readDocument(directory, blobPath(digest))
  const mediaType = mediaTypeOf(bytes)
  if (mediaType !== undefined) return { mediaType, digest, size: bytes.length }
  throw new TsbuildError(`blob ${digest} of ${directory} does not say what it is`, {
    code: 'MANIFEST_INVALID',
  })
}

function blobPath(digest: Digest): string {
  return join('blobs', 'sha256', hexOf(digest))
}

function readDocument(directory: string, path: string): Buffer {
  const fd = openRegular(directory, path)
  try {
    if (fstatSync(fd).size <= MAX_DOCUMENT_BYTES) return readFileSync(fd)
  } finally {
    closeSync(fd)
  }
  throw tooLargeError(directory, path)
}

function tooLargeError(directory: string, path: string): TsbuildError {
  return new TsbuildError(
    `oci-layout ${directory}: ${path} has more than ${MAX_DOCUMENT_BYTES} bytes`,
    { code: 'MANIFEST_INVALID', hint: 'is it a layer? An image is named by its manifest' },
  )
}

async function* readBlob(directory: string, digest: Digest): Bytes {
  const fd = openRegular(directory, blobPath(digest))
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK)
      const length = readSync(fd, chunk)
      if (length === 0) return
      yield chunk.subarray(0, length)
    }
  } finally {
    closeSync(fd)
  }
}

function openRegular(directory: string, path: string): number {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const fd = openFile(directory, path, flags)
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  throw new TsbuildError(`oci-layout ${directory}: ${path} is not a regular file`, {
    code: 'MANIFEST_INVALID',
  })
}

function openFile(directory: string, path: string, flags: number): number {
  try {
    return openSync(join(directory, path), flags)
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw ioError(`open oci-layout ${directory}`, cause)
    throw new TsbuildError(`oci-layout ${directory}: ${path} not found`, {
      code: 'NOT_FOUND',
      cause,
      hint: 'is it the folder that holds index.json and blobs?',
    })
  }
}

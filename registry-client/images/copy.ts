/** Copies of images as they are: nothing is unpacked or packed, so every digest stays what it is. */
import {
  type Descriptor,
  type Digest,
  type EncodedDocument,
  isIndexType,
  isManifestType,
  type Platform,
  parseManifestOrIndex,
  type TransferOptions,
  TsbuildError,
  together,
} from '#core'
import type { FetchedManifest } from '../repository/manifests.ts'
import type { Repository } from '../repository/repository.ts'
import { type ImageSource, resolveImage } from './pull.ts'
import { type PushImage, repositorySink } from './push.ts'
import type { BlobLayer } from './transfers.ts'

/** Where a copy goes: a repository, a store, an archive. */
export interface CopySink {
  /** How many blobs are taken at a time. */
  readonly concurrency: number
  /** Takes a blob, unless it is there. */
  putBlob(blob: BlobLayer, options: TransferOptions): Promise<void>
  /** Takes a manifest or an index under its digest. What it refers to is there. */
  putManifest(manifest: EncodedDocument, options: TransferOptions): Promise<void>
  /** Makes the copy known by its names. Everything else is there. */
  name(root: FetchedManifest, options: TransferOptions): Promise<void>
}

/** What is copied. */
export interface CopyOptions extends TransferOptions {
  /** One image of an index; default: the index with everything that it lists. */
  readonly platform?: Platform | undefined
  /** How errors name the image; its tag or digest by default. */
  readonly name?: string | undefined
  /** A repository of the target's registry that has the blobs: they are mounted from there. */
  readonly mountFrom?: string | undefined
}

/** What a copy is. */
export interface CopiedImage {
  /** The manifest or the index that the target has now. */
  readonly root: Descriptor
  /** What the source's name points to: the root, or the index that it was chosen from. */
  readonly named: Descriptor
  /** All manifests and indexes of it, the root last. */
  readonly manifests: readonly Digest[]
}

/** A repository as the target of copies; the tags are set last. */
export function repositoryTarget(
  repository: Repository,
  options: Pick<PushImage, 'tags' | 'concurrency' | 'onProgress'>,
): CopySink {
  const sink = repositorySink(repository, options)
  return {
    concurrency: sink.concurrency,
    putBlob: async (blob, transfer) => void (await sink.putLayer(blob, transfer)),
    putManifest: async (manifest, transfer) => void (await sink.putManifest(manifest, transfer)),
    name: ({ descriptor: { mediaType }, bytes }, transfer) =>
      sink.name({ document: { mediaType, bytes } }, transfer),
  }
}

/**
 * Copies an image, or an index with all that it lists, attestations included: blobs, manifests, names. So
 * nothing in the target ever refers to what is not there.
 * @throws {TsbuildError} NOT_FOUND, PLATFORM_MISMATCH, MANIFEST_INVALID
 */
export async function copyImage(
  route: { readonly from: ImageSource; readonly to: CopySink },
  tagOrDigest: string,
  options: CopyOptions = {},
): Promise<CopiedImage> {
  const { from, to } = route
  const { signal, mountFrom } = options
  const { root, named } = await findRoot(from, tagOrDigest, options)
  const graph = await readGraph(from, root, signal)
  const blobs = graph.blobs.map((descriptor) => (stop: AbortSignal) => {
    const { digest: id } = descriptor
    const open = () => from.open(descriptor, { signal: stop })
    return to.putBlob({ kind: 'blob', id, descriptor, open, mountFrom }, { signal: stop })
  })
  await together(blobs, signal, { atOnce: to.concurrency })
  for (const { descriptor, bytes } of graph.manifests) {
    await to.putManifest({ mediaType: descriptor.mediaType, bytes }, { signal })
  }
  await to.name(root, { signal })
  const manifests = graph.manifests.map(({ descriptor }) => descriptor.digest)
  return { root: root.descriptor, named, manifests }
}

interface Root {
  readonly root: FetchedManifest
  readonly named: Descriptor
}

async function findRoot(
  from: ImageSource,
  tagOrDigest: string,
  { platform, name, signal }: CopyOptions,
): Promise<Root> {
  if (platform === undefined) {
    const root = await from.fetchManifest(tagOrDigest, { signal })
    return { root, named: root.descriptor }
  }
  const image = await resolveImage(from, tagOrDigest, { platform, name, signal })
  const { index, manifestDescriptor: descriptor, manifestBytes: bytes } = image
  return { root: { descriptor, bytes }, named: index ?? descriptor }
}

/** Of one copy, indexes in indexes included. */
const MAX_MANIFESTS = 5000
/** Of all manifests of one copy, which are in memory. */
const MAX_BYTES = 64 * 1024 * 1024
const MAX_DEPTH = 8

interface Graph {
  /** What an index lists comes before it. */
  readonly manifests: readonly FetchedManifest[]
  /** Each once. */
  readonly blobs: readonly Descriptor[]
}

async function readGraph(
  from: ImageSource,
  root: FetchedManifest,
  signal: AbortSignal | undefined,
): Promise<Graph> {
  const manifests = new Map<Digest, FetchedManifest>()
  const blobs = new Map<Digest, Descriptor>()
  let size = 0
  const visit = async (document: FetchedManifest, depth: number): Promise<void> => {
    const { descriptor, bytes } = document
    size += bytes.length
    const isTooLarge = size > MAX_BYTES || manifests.size >= MAX_MANIFESTS
    if (depth > MAX_DEPTH || isTooLarge) throw tooLargeError(root)
    const parsed = parseManifestOrIndex(bytes, descriptor.mediaType)
    if (parsed.kind === 'manifest') {
      const { config, layers } = parsed.manifest
      for (const blob of [config, ...layers]) blobs.set(blob.digest, blob)
    } else {
      for (const child of parsed.index.manifests) {
        if (!manifests.has(child.digest)) await visit(await fetchChild(child), depth + 1)
      }
    }
    manifests.set(descriptor.digest, document)
  }
  const fetchChild = async (child: Descriptor): Promise<FetchedManifest> => {
    if (!isManifestType(child.mediaType) && !isIndexType(child.mediaType)) {
      throw invalidError(`${child.digest} of the index is a ${child.mediaType.slice(0, 100)}`)
    }
    const fetched = await from.fetchManifest(child.digest, { signal })
    if (fetched.descriptor.size === child.size) return fetched
    throw invalidError(`manifest ${child.digest} does not have the size that the index says`)
  }
  await visit(root, 0)
  return { manifests: [...manifests.values()], blobs: [...blobs.values()] }
}

function tooLargeError({ descriptor }: FetchedManifest): TsbuildError {
  return invalidError(
    `${descriptor.digest} lists more than ${MAX_MANIFESTS} manifests or ${MAX_BYTES} bytes of them, or nests them`,
  )
}

function invalidError(message: string): TsbuildError {
  return new TsbuildError(`copy an image: ${message}`, {
    code: 'MANIFEST_INVALID',
    hint: 'the index is damaged, or it was made by a faulty tool',
  })
}

import {
  type Bytes,
  type Descriptor,
  describeDocument,
  type EncodedDocument,
  type GraphSink,
  type ManifestDraft,
  type TransferOptions,
  type WrittenGraph,
  writeGraph,
} from '#core'
import type { Repository } from '../repository/repository.ts'
import { type BlobLayer, type PushLayer, type PushProgress, Transfers } from './transfers.ts'

/** An image to push. */
export interface PushImage extends ManifestDraft<PushLayer> {
  /** Set last, once the registry has everything else. May be empty. */
  readonly tags: readonly string[]
  /** Concurrent blobs; 4 by default. */
  readonly concurrency?: number | undefined
  readonly onProgress?: ((progress: PushProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** The descriptors of a pushed image. */
export interface PushedImage {
  readonly manifest: Descriptor
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

const DEFAULT_CONCURRENCY = 4

/**
 * Sends an image: blobs in parallel, then the manifest by its digest, then the tags, so that no name
 * ever points to something incomplete. The first failure stops the other transfers.
 */
export async function pushImage(repository: Repository, image: PushImage): Promise<PushedImage> {
  const { signal } = image
  const draft = { manifests: [image], index: undefined }
  const { manifests } = await writeGraph(draft, repositorySink(repository, image), { signal })
  const [{ descriptor: manifest, config, layers }] = manifests
  return { manifest, config, layers }
}

/** The sink that a repository is; a tag can also be set to what was written before. */
interface RepositorySink extends GraphSink<PushLayer> {
  name(graph: Pick<WrittenGraph, 'document'>, options: TransferOptions): Promise<void>
}

/** A repository as a sink: each blob is sent once; the root gets the tags. */
export function repositorySink(
  repository: Repository,
  options: Pick<PushImage, 'tags' | 'concurrency' | 'onProgress'>,
): RepositorySink {
  const { tags, concurrency = DEFAULT_CONCURRENCY, onProgress = () => undefined } = options
  const transfers = new Transfers(repository, onProgress)
  return {
    concurrency,
    // IDs are for progress and may repeat; `Transfers` sends each blob once.
    keyOf: (layer) => layer,
    putLayer: (layer, { signal }) => transfers.send(layer, signal),
    putConfig: (config, { signal }) => transfers.send(blobOf(config), signal),
    putManifest: async (manifest, { signal }) => {
      const descriptor = describeDocument(manifest)
      await transfers.putManifest(descriptor.digest, manifest, { signal })
      return descriptor
    },
    name: async ({ document }, { signal }) => {
      for (const tag of tags) await transfers.putManifest(tag, document, { signal })
    },
  }
}

function blobOf(document: EncodedDocument): BlobLayer {
  const descriptor = describeDocument(document)
  const open = async function* (): Bytes {
    yield document.bytes
  }
  return { kind: 'blob', id: descriptor.digest, descriptor, open }
}

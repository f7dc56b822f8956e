import {
  type Bytes,
  counting,
  type Descriptor,
  describeDocument,
  type EncodedDocument,
  type GraphSink,
  type ManifestDraft,
  type TransferOptions,
  writeGraph,
} from '#core'
import type { OpenBytes } from '#http'
import type { Repository } from '../repository/repository.ts'

/** A layer whose blob is known: skipped when the registry has it, mounted when it can be, else sent. */
export interface BlobLayer {
  readonly kind: 'blob'
  /** Identifies the transfer in `onProgress`. */
  readonly id: string
  readonly descriptor: Descriptor
  readonly open: OpenBytes
  /** A repository of the same registry that has the blob. */
  readonly mountFrom?: string | undefined
}

/** A layer that is made (compressed) while it is sent; digest and size come out at the end. */
export interface StreamLayer {
  readonly kind: 'stream'
  readonly id: string
  readonly mediaType: string
  /** Makes the bytes; called again for another attempt. */
  readonly open: OpenBytes
}

/** A layer to push. */
export type PushLayer = BlobLayer | StreamLayer

/** Bytes of one transfer. Reported at most ten times a second, and once with `done`. */
export interface PushProgress {
  readonly id: string
  readonly current: number
  readonly total?: number
  readonly done: boolean
  readonly note?: 'exists' | 'mounted'
}

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
const REPORT_INTERVAL = 100

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

/** A repository as a sink: each blob is sent once; the root gets the tags. */
export function repositorySink(
  repository: Repository,
  options: Pick<PushImage, 'tags' | 'concurrency' | 'onProgress'>,
): GraphSink<PushLayer> {
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
      await repository.putManifest(descriptor.digest, manifest, { signal })
      return descriptor
    },
    name: async ({ document }, { signal }) => {
      for (const tag of tags) await repository.putManifest(tag, document, { signal })
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

class Transfers {
  readonly #repository: Repository
  readonly #onProgress: (progress: PushProgress) => void
  /** Layers may repeat; each blob is sent once. */
  readonly #blobs = new Map<string, Promise<Descriptor>>()

  constructor(repository: Repository, onProgress: (progress: PushProgress) => void) {
    this.#repository = repository
    this.#onProgress = onProgress
  }

  async send(layer: PushLayer, signal: TransferOptions['signal']): Promise<Descriptor> {
    if (layer.kind === 'stream') return this.#stream(layer, signal)
    const { digest, size } = layer.descriptor
    const known = this.#blobs.get(digest)
    if (known !== undefined) {
      await known
      this.#done(layer.id, size, 'exists')
      return layer.descriptor
    }
    const sending = this.#blob(layer, signal)
    this.#blobs.set(digest, sending)
    return sending
  }

  async #stream(layer: StreamLayer, signal: TransferOptions['signal']): Promise<Descriptor> {
    const open = reportingBytes(layer, this.#onProgress)
    const descriptor = await this.#repository.upload(layer.mediaType, open, { signal })
    this.#done(layer.id, descriptor.size)
    return descriptor
  }

  async #blob(layer: BlobLayer, signal: TransferOptions['signal']): Promise<Descriptor> {
    const { id, descriptor, mountFrom } = layer
    const from = mountFrom === undefined ? [] : [mountFrom]
    const note = await this.#repository.obtain(descriptor, { from, signal })
    if (note === undefined) {
      const open = reportingBytes(layer, this.#onProgress, descriptor.size)
      await this.#repository.put(descriptor, open, { signal })
    }
    this.#done(id, descriptor.size, note)
    return descriptor
  }

  #done(id: string, size: number, note?: 'exists' | 'mounted'): void {
    const end = { id, current: size, total: size, done: true }
    this.#onProgress(note === undefined ? end : { ...end, note })
  }
}

/** Opens the bytes of a transfer, and reports those that were read, ten times a second at most. */
export function reportingBytes(
  { id, open }: Pick<PushLayer, 'id' | 'open'>,
  onProgress: (progress: PushProgress) => void,
  total?: number,
): OpenBytes {
  return async () => {
    let next = 0
    return counting(await open(), (current) => {
      const now = performance.now()
      if (now < next) return
      next = now + REPORT_INTERVAL
      onProgress({ id, current, ...(total === undefined ? {} : { total }), done: false })
    })
  }
}

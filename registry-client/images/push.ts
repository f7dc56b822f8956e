import PQueue from 'p-queue'
import { type Bytes, type Descriptor, digestOf } from '#core'
import type { OpenBytes } from '#http'
import { cancelledError } from '../errors.ts'
import { counting } from '../repository/bytes.ts'
import type { Repository } from '../repository/repository.ts'
import { formatTaggedName } from '../repository/repository-ref.ts'

/** A layer whose blob is known: skipped when the registry has it, mounted when it can be. */
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

/** A config, manifest or index. */
export interface Document {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** An image to push. */
export interface PushImage {
  /** Bottom layer first. */
  readonly layers: readonly PushLayer[]
  readonly config: Document
  /** Writes the manifest once all descriptors are known; layers in the order given. */
  readonly assemble: (config: Descriptor, layers: readonly Descriptor[]) => Document
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
  const stop = new AbortController()
  const signal =
    image.signal === undefined ? stop.signal : AbortSignal.any([image.signal, stop.signal])
  const config = blobOf(image.config)
  const transfer = new Transfer(repository, { onProgress: image.onProgress, signal })
  const queue = new PQueue({ concurrency: image.concurrency ?? DEFAULT_CONCURRENCY })
  const layers = [...image.layers, config].map((layer) =>
    queue.add(() => {
      if (signal.aborted) throw cancelledError(`push ${layer.id}`, signal)
      return transfer.send(layer)
    }),
  )
  const sent = await allOrFirstFailure(layers, stop)
  const manifest = image.assemble(config.descriptor, sent.slice(0, -1))
  const descriptor = await pushManifest(repository, manifest, { tags: image.tags, signal })
  return { manifest: descriptor, config: config.descriptor, layers: sent.slice(0, -1) }
}

/** Sends a manifest or index, all parts of which the registry has: by its digest, then by its tags. */
export async function pushManifest(
  repository: Repository,
  manifest: Document,
  { tags, signal }: Pick<PushImage, 'tags' | 'signal'>,
): Promise<Descriptor> {
  const descriptor = described(manifest)
  for (const name of [descriptor.digest, ...tags]) {
    if (signal?.aborted === true)
      throw cancelledError(`push ${formatTaggedName(repository, name)}`, signal)
    await repository.putManifest(name, manifest, { signal })
  }
  return descriptor
}

function described({ mediaType, bytes }: Document): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

/** Waits for all, also after a failure: when this returns, no transfer is running. */
async function allOrFirstFailure<T>(
  work: readonly Promise<T>[],
  stop: AbortController,
): Promise<readonly T[]> {
  const all = Promise.all(work)
  await all.catch((reason: unknown) => stop.abort(reason))
  await Promise.allSettled(work)
  return all
}

function blobOf(document: Document): BlobLayer {
  const descriptor = described(document)
  const open = async function* (): Bytes {
    yield document.bytes
  }
  return { kind: 'blob', id: descriptor.digest, descriptor, open }
}

interface TransferContext {
  readonly onProgress: PushImage['onProgress']
  readonly signal: AbortSignal
}

class Transfer {
  readonly #repository: Repository
  readonly #onProgress: (progress: PushProgress) => void
  readonly #signal: AbortSignal
  /** Layers may repeat; each blob is sent once. */
  readonly #blobs = new Map<string, Promise<Descriptor>>()

  constructor(repository: Repository, { onProgress, signal }: TransferContext) {
    this.#repository = repository
    this.#onProgress = onProgress ?? (() => {})
    this.#signal = signal
  }

  async send(layer: PushLayer): Promise<Descriptor> {
    if (layer.kind === 'stream') return this.#stream(layer)
    const { digest, size } = layer.descriptor
    const known = this.#blobs.get(digest)
    if (known !== undefined) {
      await known
      this.#done(layer.id, size, 'exists')
      return layer.descriptor
    }
    const sending = this.#blob(layer)
    this.#blobs.set(digest, sending)
    return sending
  }

  async #stream(layer: StreamLayer): Promise<Descriptor> {
    const open = this.#reporting(layer)
    const descriptor = await this.#repository.upload(layer.mediaType, open, {
      signal: this.#signal,
    })
    this.#done(layer.id, descriptor.size)
    return descriptor
  }

  async #blob(layer: BlobLayer): Promise<Descriptor> {
    const { id, descriptor, mountFrom } = layer
    const options = { signal: this.#signal }
    if (await this.#repository.has(descriptor, options)) {
      this.#done(id, descriptor.size, 'exists')
      return descriptor
    }
    if (mountFrom !== undefined && mountFrom !== this.#repository.name) {
      if (await this.#repository.mount(descriptor, mountFrom, options)) {
        this.#done(id, descriptor.size, 'mounted')
        return descriptor
      }
    }
    await this.#repository.put(descriptor, this.#reporting(layer, descriptor.size), options)
    this.#done(id, descriptor.size)
    return descriptor
  }

  #reporting({ id, open }: PushLayer, total?: number): OpenBytes {
    return async () => {
      let next = 0
      return counting(await open(), (current) => {
        const now = performance.now()
        if (now < next) return
        next = now + REPORT_INTERVAL
        this.#onProgress({ id, current, ...(total === undefined ? {} : { total }), done: false })
      })
    }
  }

  #done(id: string, size: number, note?: 'exists' | 'mounted'): void {
    const end = { id, current: size, total: size, done: true }
    this.#onProgress(note === undefined ? end : { ...end, note })
  }
}

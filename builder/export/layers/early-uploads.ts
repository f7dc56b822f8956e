/**
 * Layers of an image are sent to the registries that it is pushed to while later steps run: those that are packed
 * by then, one at a time for each registry. An output waits for what is under way, finds what was sent, and sends the
 * rest, then the manifest and the tags. See ADR 60.
 */
import type { Store } from '#cache'
import type { Compression, Descriptor, TransferOptions } from '#core'
import {
  type PushProgress,
  type Reference,
  type RegistryClient,
  type Repository,
  reportingBytes,
} from '#registry-client'
import { type ImageLayer, layerKey } from './image-layer.ts'
import { type LayerBlob, layerBlob } from './layer-blob.ts'
import { presumedOwners } from './owner-check.ts'

/** Bytes of a layer that is sent in less time than it takes to ask for it now and once more. */
const SMALL_BYTES = 1024 * 1024

/** Where layers go, and how they are packed there. */
export interface UploadTarget extends Pick<Reference, 'registry' | 'repository'> {
  readonly compression: Compression
}

/** What layers are sent with. */
export interface EarlyUploadsDeps {
  readonly store: Store
  /** Opens the client when it is first called. */
  readonly client: () => RegistryClient
  /** Resolves while a step runs that leaves a processor. */
  readonly found: () => Promise<void>
  /** Send layers, too, of which some files have owners that are presumed. */
  readonly ignoreChownErrors: boolean
  /** Reports the layers that are sent to a repository. */
  readonly report: (
    name: string,
    send: (onProgress: (progress: PushProgress) => void) => Promise<void>,
  ) => Promise<void>
}

/** The layers of one build that are sent before its images are complete. */
export class EarlyUploads implements AsyncDisposable {
  readonly #queues: readonly UploadQueue[]
  readonly #stop = new AbortController()

  constructor(targets: readonly UploadTarget[], deps: EarlyUploadsDeps) {
    this.#queues = targets.map((target) => new UploadQueue(target, deps, this.#stop.signal))
  }

  /** Takes a layer that is packed: a base's, or one that was made here and is packed in this way. */
  add(layer: ImageLayer, compression?: Compression): void {
    for (const queue of this.#queues) {
      if (compression === undefined || compression === queue.target.compression) queue.add(layer)
    }
  }

  /** Resolves when no layer is under way to a repository that an output has for it. */
  async settled({ registry, name }: Repository, layer: ImageLayer): Promise<void> {
    const queue = this.#queues.find(({ target }) => {
      return target.registry === registry && target.repository === name
    })
    await queue?.settled(layer)
  }

  /** To be called when all steps have ended: no more is begun. */
  endSteps(): void {
    for (const queue of this.#queues) queue.end()
  }

  /** Stops what is under way, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.endSteps()
    await Promise.all(this.#queues.map((queue) => queue.ended()))
  }
}

/** The layers that one repository gets. */
class UploadQueue {
  readonly target: UploadTarget
  readonly #deps: EarlyUploadsDeps
  readonly #signal: AbortSignal
  readonly #waiting = new Map<string, ImageLayer>()
  readonly #stopped = Promise.withResolvers<void>()
  #isStopped = false
  #current: { readonly key: string; readonly sent: Promise<void> } | undefined
  #working: Promise<void> = Promise.resolve()

  constructor(target: UploadTarget, deps: EarlyUploadsDeps, signal: AbortSignal) {
    this.target = target
    this.#deps = deps
    this.#signal = signal
  }

  /** What is not in the store yet is looked at again when the next layer comes. */
  add(layer: ImageLayer): void {
    const size = layer.blob?.descriptor.size ?? layer.size ?? 0
    if (this.#isStopped || size < SMALL_BYTES) return
    this.#waiting.set(layerKey(layer), layer)
    this.#working = this.#working.then(() => this.#work())
  }

  async settled(layer: ImageLayer): Promise<void> {
    if (this.#current?.key === layerKey(layer)) await this.#current.sent
  }

  end(): void {
    this.#isStopped = true
    this.#stopped.resolve()
  }

  ended(): Promise<void> {
    return this.#working
  }

  async #work(): Promise<void> {
    for (const [key, layer] of this.#waiting) {
      await Promise.race([this.#deps.found(), this.#stopped.promise])
      if (this.#isStopped) return
      const blob = this.#storedBlob(layer)
      if (blob === undefined) continue
      this.#waiting.delete(key)
      // The output sends it again, and has the reason.
      const sent = this.#send(layer, blob).catch(() => this.end())
      this.#current = { key, sent }
      await sent
    }
  }

  /** Of a layer that is packed, and in the store. */
  #storedBlob(layer: ImageLayer): StoredBlob | undefined {
    const { store, ignoreChownErrors } = this.#deps
    if (!ignoreChownErrors && presumedOwners({ layers: [layer] }, store)) return undefined
    const blob = layerBlob(layer, this.target.compression, { store, early: undefined })
    const { descriptor, open } = blob
    const isHere = descriptor && store.blobs.statSpare(descriptor.digest) === descriptor.size
    return isHere ? { descriptor, open } : undefined
  }

  async #send({ diffId: id, origin }: ImageLayer, { descriptor, open }: StoredBlob): Promise<void> {
    const { registry, repository: name } = this.target
    const repository = this.#deps.client().repository(this.target)
    const options: TransferOptions = { signal: this.#signal }
    const from = origin?.registry === registry ? [origin.repository] : []
    if ((await repository.obtain(descriptor, { from, ...options })) !== undefined) return
    const { size } = descriptor
    await this.#deps.report(`sending layers to ${registry}/${name}`, async (onProgress) => {
      const transfer = reportingBytes({ id, open: () => open(options) }, onProgress, size)
      const done = { id, current: size, total: size, done: true }
      await repository.put(descriptor, transfer, options).then(
        () => onProgress(done),
        () => this.end(),
      )
    })
  }
}

interface StoredBlob extends Pick<LayerBlob, 'open'> {
  readonly descriptor: Descriptor
}

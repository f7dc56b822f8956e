import {
  counting,
  type Descriptor,
  describeDocument,
  type EncodedDocument,
  parseManifestOrIndex,
  type TransferOptions,
} from '#core'
import type { OpenBytes } from '#http'
import { RegistryError } from '../errors.ts'
import { UNKNOWN_BLOB } from '../repository/manifests.ts'
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
  /** The repository that a blob was mounted from. */
  readonly from?: string | undefined
}

const REPORT_INTERVAL = 100

/** What is sent to one repository: each blob once, unless the registry loses it. */
export class Transfers {
  readonly #repository: Repository
  readonly #onProgress: (progress: PushProgress) => void
  /** Layers may repeat; each blob is sent once. */
  readonly #blobs = new Map<string, Promise<Descriptor>>()
  /** What was written, by its digest, to write it once more. */
  readonly #written = new Map<string, OpenBytes | EncodedDocument>()

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
      this.#done(layer.id, size, { note: 'exists' })
      return layer.descriptor
    }
    const sending = this.#blob(layer, signal)
    this.#blobs.set(digest, sending)
    return sending
  }

  /**
   * Stores a manifest or an index. Where the registry has lost a part of it since that was seen or sent, the part is
   * sent again, once.
   */
  async putManifest(
    tagOrDigest: string,
    manifest: EncodedDocument,
    options: TransferOptions,
  ): Promise<void> {
    try {
      await this.#repository.putManifest(tagOrDigest, manifest, options)
    } catch (cause) {
      if (!(cause instanceof RegistryError) || !cause.registryCodes.includes(UNKNOWN_BLOB)) {
        throw cause
      }
      await this.#restore(manifest, options)
      await this.#repository.putManifest(tagOrDigest, manifest, options)
    }
    this.#written.set(describeDocument(manifest).digest, manifest)
  }

  async #stream(layer: StreamLayer, signal: TransferOptions['signal']): Promise<Descriptor> {
    const open = reportingBytes(layer, this.#onProgress)
    const descriptor = await this.#repository.upload(layer.mediaType, open, { signal })
    this.#written.set(descriptor.digest, layer.open)
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
    this.#written.set(descriptor.digest, layer.open)
    const origin = note === undefined ? undefined : this.#repository.mountedFrom(descriptor.digest)
    this.#done(id, descriptor.size, { note, from: origin })
    return descriptor
  }

  /** Sends once more what a manifest refers to and the registry does not have any more. */
  async #restore(document: EncodedDocument, options: TransferOptions): Promise<void> {
    const parsed = parseManifestOrIndex(document.bytes, document.mediaType)
    if (parsed.kind === 'index') {
      for (const { digest } of parsed.index.manifests) {
        const child = this.#written.get(digest)
        if (child !== undefined && typeof child !== 'function') {
          await this.putManifest(digest, child, options)
        }
      }
      return
    }
    const { config, layers } = parsed.manifest
    const sent = [config, ...layers].filter(({ digest }) => this.#written.has(digest))
    const missing: Descriptor[] = []
    for (const blob of sent) {
      if (!(await this.#repository.has(blob, options))) missing.push(blob)
    }
    // It may say that it has a blob, and not find it when it stores the manifest.
    for (const blob of missing.length > 0 ? missing : sent) {
      const open = this.#written.get(blob.digest)
      if (typeof open === 'function') await this.#repository.put(blob, open, options)
    }
  }

  #done(id: string, size: number, { note, from }: Ending = {}): void {
    this.#onProgress({
      ...{ id, current: size, total: size, done: true },
      ...(note === undefined ? {} : { note }),
      ...(from === undefined ? {} : { from }),
    })
  }
}

/** How a blob got where it is, when it was not sent. */
interface Ending {
  readonly note?: PushProgress['note'] | undefined
  readonly from?: string | undefined
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

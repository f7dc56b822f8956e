import type { Descriptor } from '#core'
import type { OpenBytes, Repository } from './repository.ts'

/** A layer whose blob is known: skipped when the registry has it, mounted when it can be. */
export interface BlobLayer {
  readonly kind: 'blob'
  /** Tells transfers apart in `onProgress`. */
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

export type PushLayer = BlobLayer | StreamLayer

/** How far one transfer is; bytes. Comes at most a few times a second, and once with `done`. */
export interface PushProgress {
  readonly id: string
  readonly current: number
  readonly total?: number
  readonly done: boolean
  readonly note?: 'exists' | 'mounted'
}

export interface Document {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

export interface PushImage {
  /** Bottom layer first. */
  readonly layers: readonly PushLayer[]
  readonly config: Document
  /** Writes the manifest once all descriptors are known; layers in the order given. */
  readonly assemble: (config: Descriptor, layers: readonly Descriptor[]) => Document
  /** Set last, and only when everything else is there. May be empty. */
  readonly tags: readonly string[]
  /** Blobs under way at a time; 4 by default. */
  readonly concurrency?: number | undefined
  readonly onProgress?: ((progress: PushProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface PushedImage {
  readonly manifest: Descriptor
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

/** Sends an image: blobs in parallel, then the manifest by digest, then its tags. */
export function pushImage(repository: Repository, image: PushImage): Promise<PushedImage> {
  throw new Error(`unfinished ${repository} ${image}`)
}

import { compressionOf, type Descriptor, type Digest, type TransferOptions } from '#core'
import type { BlobMemory } from './blob-memory.ts'
import { hasBlob } from './blobs.ts'
import { mountBlob } from './mounts.ts'
import type { RepositoryRef } from './repository-ref.ts'

/** Repositories from which the mount of one blob is tried. */
const MOST_TRIED = 3
/** Mounts without any success, after which the registry counts as one that mounts nothing. */
const MOST_MISSED = 6

/** How a blob is looked for. */
export interface ObtainOptions extends TransferOptions {
  /** Further repositories of the registry that may have the blob: they are tried first. */
  readonly from?: readonly string[] | undefined
}

/** Which blobs one repository has, and which of them it can take over from others of its registry. */
export class KnownBlobs {
  readonly #ref: RepositoryRef
  readonly #memory: BlobMemory
  /** Blobs that were seen here by this process. */
  readonly #here = new Set<Digest>()
  /** Repositories that this user may not read, as it turned out. */
  readonly #denied = new Set<string>()
  /** Repositories that blobs were taken over from, by this process. */
  readonly #origins = new Map<Digest, string>()
  #mounted = 0
  #missed = 0

  constructor(ref: RepositoryRef, memory: BlobMemory) {
    this.#ref = ref
    this.#memory = memory
  }

  /** To be called when the repository is seen to have a blob. Only those of layers are worth a mount. */
  add({ mediaType, digest }: Descriptor): void {
    if (this.#here.has(digest) || !isOfLayer(mediaType)) return
    this.#here.add(digest)
    this.#memory.add(this.#name, digest)
  }

  async has(descriptor: Descriptor, options: TransferOptions): Promise<boolean> {
    const isHere = await hasBlob(this.#ref, descriptor, options)
    if (isHere) this.add(descriptor)
    return isHere
  }

  async mount(descriptor: Descriptor, from: string, options: TransferOptions): Promise<boolean> {
    const outcome = await mountBlob(this.#ref, descriptor, { ...options, from })
    const isMounted = outcome === 'mounted'
    if (isMounted) this.#origins.set(descriptor.digest, from)
    if (isMounted) this.add(descriptor)
    else if (outcome !== 'failed') this.#forget(descriptor.digest, from)
    if (outcome === 'denied') this.#denied.add(from)
    this.#mounted += isMounted ? 1 : 0
    this.#missed += isMounted ? 0 : 1
    return isMounted
  }

  /** Mounts a blob from one of the repositories that may have it. */
  async takeOver(
    descriptor: Descriptor,
    { from = [], signal }: ObtainOptions,
    remembered: readonly string[] = this.#remembered(descriptor),
  ): Promise<boolean> {
    const candidates = new Set([...from, ...remembered])
    candidates.delete(this.#ref.name)
    for (const one of [...candidates].slice(0, MOST_TRIED)) {
      if (this.#denied.has(one) || this.#mountsNothing) continue
      if (await this.mount(descriptor, one, { signal })) return true
    }
    return false
  }

  /** What is known to be elsewhere, and not here, is mounted without asking whether it is here. */
  async obtain(
    descriptor: Descriptor,
    options: ObtainOptions,
  ): Promise<'exists' | 'mounted' | undefined> {
    if (this.#here.has(descriptor.digest)) return 'exists'
    const remembered = this.#remembered(descriptor)
    const wasHere = remembered.includes(this.#ref.name)
    const isElsewhere = remembered.length > 0 && !wasHere
    if (!isElsewhere && (await this.has(descriptor, options))) return 'exists'
    if (wasHere) this.#forget(descriptor.digest, this.#ref.name)
    if (await this.takeOver(descriptor, options, remembered)) return 'mounted'
    return isElsewhere && (await this.has(descriptor, options)) ? 'exists' : undefined
  }

  /** The repository that a blob was taken over from. */
  originOf(digest: Digest): string | undefined {
    return this.#origins.get(digest)
  }

  get #mountsNothing(): boolean {
    return this.#mounted === 0 && this.#missed >= MOST_MISSED
  }

  #remembered({ mediaType, digest }: Descriptor): readonly string[] {
    return isOfLayer(mediaType) ? this.#memory.find(this.#ref.endpoint.registry, digest) : []
  }

  #forget(digest: Digest, repository: string): void {
    this.#memory.forget({ ...this.#name, repository }, digest)
  }

  get #name(): { readonly registry: string; readonly repository: string } {
    return { registry: this.#ref.endpoint.registry, repository: this.#ref.name }
  }
}

function isOfLayer(mediaType: string): boolean {
  return compressionOf(mediaType) !== undefined
}

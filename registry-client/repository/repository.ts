import {
  type BlobSink,
  type BlobSource,
  type Bytes,
  type Descriptor,
  type Digest,
  type EncodedDocument,
  isDigest,
  type OpenOptions,
  type TransferOptions,
} from '#core'
import type { OpenBytes } from '#http'
import { BegunUpload } from '../endpoint/begun-upload.ts'
import type { BlobMemory } from './blob-memory.ts'
import { deleteBlob, openBlob } from './blobs.ts'
import { KnownBlobs, type ObtainOptions } from './known-blobs.ts'
import {
  deleteManifest,
  type FetchedManifest,
  fetchManifest,
  putManifest,
  resolveManifest,
} from './manifests.ts'
import type { PullWays } from './pull-ways.ts'
import {
  addReferrer,
  listReferrers,
  type ReferrerOptions,
  type Referrers,
  removeReferrer,
} from './referrers.ts'
import type { RepositoryRef } from './repository-ref.ts'
import { type ListTagsOptions, listTags } from './tags.ts'
import { beginUpload } from './upload-task.ts'
import { cancelUpload, putBlob, streamBlob } from './uploads.ts'

/** How a manifest is fetched. */
interface FetchOptions extends TransferOptions {
  /** No mirror is asked, as for what is going to be changed. */
  readonly from?: 'registry'
}

/** One repository of a registry: its blobs, manifests and tags. */
export class Repository implements BlobSource, BlobSink {
  readonly #ref: RepositoryRef
  readonly #known: KnownBlobs
  readonly #ways: PullWays
  readonly #begun = new BegunUpload()
  #lastChange: Promise<void> = Promise.resolve()

  /**
   * @param memory gets the blobs of layers that the repository is seen to have
   * @param ways what is asked for all that is pulled
   */
  constructor(ref: RepositoryRef, memory: BlobMemory, ways: PullWays) {
    this.#ref = ref
    this.#ways = ways
    this.#known = new KnownBlobs(ref, memory)
  }

  /** As in references: `docker.io`. */
  get registry(): string {
    return this.#ref.endpoint.registry
  }

  /** Without the registry: `library/alpine`. */
  get name(): string {
    return this.#ref.name
  }

  /**
   * What a tag or digest points to now. The size and type are unchecked until
   * `fetchManifest` has the bytes.
   * @throws {RegistryError} NOT_FOUND
   */
  resolve(tagOrDigest: string, options: TransferOptions = {}): Promise<Descriptor> {
    return this.#ways.ask(kindOf(tagOrDigest), (ref) => resolveManifest(ref, tagOrDigest, options))
  }

  /**
   * Fetches a manifest or index of at most 4 MiB, verified and of one clear kind.
   * @throws {RegistryError} NOT_FOUND, DIGEST_MISMATCH, MANIFEST_INVALID
   */
  fetchManifest(tagOrDigest: string, options: FetchOptions = {}): Promise<FetchedManifest> {
    if (options.from === 'registry') return fetchManifest(this.#ref, tagOrDigest, options)
    return this.#ways.ask(kindOf(tagOrDigest), (ref) => fetchManifest(ref, tagOrDigest, options))
  }

  /** The bytes hold a connection until they are read to their end, or their iterator is closed. */
  async open(descriptor: Descriptor, options: OpenOptions = {}): Promise<Bytes> {
    return await this.#ways.ask('digests', async (ref) => {
      const bytes = await openBlob(ref, descriptor, options)
      if (ref === this.#ref) this.#known.add(descriptor)
      return bytes
    })
  }

  /** Whether the registry has a blob of that digest and size. */
  has(descriptor: Descriptor, options: TransferOptions = {}): Promise<boolean> {
    return this.#known.has(descriptor, options)
  }

  /** Given a function, a broken upload starts again; given bare bytes, there is one attempt. */
  async put(
    descriptor: Descriptor,
    bytes: Bytes | OpenBytes,
    options: TransferOptions = {},
  ): Promise<void> {
    const isRepeatable = typeof bytes === 'function'
    const open = isRepeatable ? bytes : () => bytes
    const begun = this.#begun
    await putBlob(this.#ref, descriptor, { ...options, open, begun, isRepeatable })
    this.#known.add(descriptor)
  }

  /** Takes a blob over from another repository of this registry; false: it has to be uploaded. */
  mount(
    descriptor: Descriptor,
    fromRepository: string,
    options: TransferOptions = {},
  ): Promise<boolean> {
    return this.#known.mount(descriptor, fromRepository, options)
  }

  /**
   * Takes a blob over from another repository of this registry that may have it: one that is given, or one that
   * is remembered. False: it has to be uploaded.
   */
  takeOver(descriptor: Descriptor, options: ObtainOptions = {}): Promise<boolean> {
    return this.#known.takeOver(descriptor, options)
  }

  /**
   * Sees to it that the registry has a blob here without sending it, if that can be.
   * @returns `undefined`: it has to be uploaded
   */
  obtain(
    descriptor: Descriptor,
    options: ObtainOptions = {},
  ): Promise<'exists' | 'mounted' | undefined> {
    return this.#known.obtain(descriptor, options)
  }

  /** The repository that a blob was taken over from; `undefined` for one that was not. */
  mountedFrom(digest: Digest): string | undefined {
    return this.#known.originOf(digest)
  }

  /** Uploads bytes whose digest and size are known only at their end. */
  async upload(
    mediaType: string,
    open: OpenBytes,
    options: TransferOptions = {},
  ): Promise<Descriptor> {
    const descriptor = await streamBlob(this.#ref, mediaType, {
      ...{ open, begun: this.#begun },
      ...options,
    })
    this.#known.add(descriptor)
    return descriptor
  }

  /**
   * Finds out whether this user may push, by a request which the first upload makes use of.
   * @throws {RegistryError} when that is refused
   */
  checkPush(options: TransferOptions = {}): Promise<void> {
    return beginUpload(this.#ref, this.#begun, options)
  }

  /** Frees what the registry holds for a push that did not come. */
  close(): Promise<void> {
    return cancelUpload(this.#ref, this.#begun)
  }

  /**
   * Stores a manifest or index under a tag or its own digest; the registry must have its blobs. One with a subject is
   * put on the list of its referrers, where the registry does not do that itself.
   */
  async putManifest(
    tagOrDigest: string,
    { mediaType, bytes }: EncodedDocument,
    options: TransferOptions = {},
  ): Promise<Digest> {
    const manifest = { ...options, mediaType, bytes }
    const { digest, unlisted } = await putManifest(this.#ref, tagOrDigest, manifest)
    if (unlisted !== undefined) {
      const { subject, referrer: added } = unlisted
      await this.#inTurn(() => addReferrer(this.#ref, subject, { ...options, added }))
    }
    return digest
  }

  /** The tags, in no order; see `ListTagsOptions`. @throws {RegistryError} NOT_FOUND */
  tags(options: ListTagsOptions): Promise<readonly string[]> {
    return listTags(this.#ref, options)
  }

  /** What refers to a manifest of this repository: signatures, attestations. */
  referrers(digest: Digest, options: ReferrerOptions = {}): Promise<Referrers> {
    return listReferrers(this.#ref, digest, options)
  }

  /** Takes a manifest off the list of what refers to another one, where the registry does not keep that list itself. */
  async unlistReferrer(
    subject: Digest,
    removed: Digest,
    options: TransferOptions = {},
  ): Promise<void> {
    await this.#inTurn(() => removeReferrer(this.#ref, subject, { ...options, removed }))
  }

  /**
   * Removes a manifest with all of its tags; one with a subject also from the list of that one's referrers.
   * @throws {RegistryError} where that is not allowed
   */
  async deleteManifest(digest: Digest, options: DeleteOptions = {}): Promise<void> {
    const { subject, ...transfer } = options
    if (subject !== undefined) await this.unlistReferrer(subject, digest, transfer)
    await deleteManifest(this.#ref, digest, transfer)
  }

  /** Removes a tag, and leaves what it leads to. @throws {RegistryError} where that is not allowed */
  deleteTag(tag: string, options: TransferOptions = {}): Promise<void> {
    return deleteManifest(this.#ref, tag, options)
  }

  /** Removes a blob that no manifest needs. @throws {RegistryError} where that is not allowed */
  deleteBlob(digest: Digest, options: TransferOptions = {}): Promise<void> {
    return deleteBlob(this.#ref, digest, options)
  }

  /** Lists under tags are read and written back: one at a time. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.#lastChange.then(change, change)
    this.#lastChange = turn.catch(() => {})
    return turn
  }
}

/** How a manifest is deleted. */
export interface DeleteOptions extends TransferOptions {
  /** What it refers to. */
  readonly subject?: Digest | undefined
}

function kindOf(tagOrDigest: string): 'digests' | 'tags' {
  return isDigest(tagOrDigest) ? 'digests' : 'tags'
}

import type { BlobSink, BlobSource, Bytes, Descriptor, Digest, TransferOptions } from '#core'

/** Opens the same bytes again for each attempt. */
export type OpenBytes = () => Bytes | Promise<Bytes>

export interface FetchedManifest {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
}

/** One repository of a registry: its blobs, manifests and tags. */
export class Repository implements BlobSource, BlobSink {
  /** As in references: `docker.io`. */
  readonly registry: string
  /** Without the registry: `library/alpine`. */
  readonly name: string

  constructor(registry: string, name: string) {
    this.registry = registry
    this.name = name
  }

  /**
   * What a tag or digest points to now. The size and type are the registry's word until
   * `fetchManifest` has seen the bytes.
   * @throws {RegistryError} NOT_FOUND
   */
  resolve(tagOrDigest: string, options?: TransferOptions): Promise<Descriptor> {
    throw new Error(`unfinished ${tagOrDigest} ${options}`)
  }

  /** Fetches a manifest or index of at most 4 MiB, verified and of one clear kind. */
  fetchManifest(tagOrDigest: string, options?: TransferOptions): Promise<FetchedManifest> {
    throw new Error(`unfinished ${tagOrDigest} ${options}`)
  }

  open(descriptor: Descriptor, options?: TransferOptions): Promise<Bytes> {
    throw new Error(`unfinished ${descriptor} ${options}`)
  }

  has(descriptor: Descriptor, options?: TransferOptions): Promise<boolean> {
    throw new Error(`unfinished ${descriptor} ${options}`)
  }

  /** Given a function, a failed upload starts again; given bare bytes, there is one attempt. */
  put(descriptor: Descriptor, bytes: Bytes | OpenBytes, options?: TransferOptions): Promise<void> {
    throw new Error(`unfinished ${descriptor} ${bytes} ${options}`)
  }

  /** Takes a blob over from another repository of this registry; false when it has to be uploaded. */
  mount(
    descriptor: Descriptor,
    fromRepository: string,
    options?: TransferOptions,
  ): Promise<boolean> {
    throw new Error(`unfinished ${descriptor} ${fromRepository} ${options}`)
  }

  /** Uploads bytes whose digest and size are known only at their end. */
  upload(mediaType: string, open: OpenBytes, options?: TransferOptions): Promise<Descriptor> {
    throw new Error(`unfinished ${mediaType} ${open} ${options}`)
  }

  /** Stores a manifest or index under a tag or its own digest; its blobs must be there. */
  putManifest(
    tagOrDigest: string,
    manifest: { readonly mediaType: string; readonly bytes: Uint8Array },
    options?: TransferOptions,
  ): Promise<Digest> {
    throw new Error(`unfinished ${tagOrDigest} ${manifest} ${options}`)
  }
}

import type {
  BlobSource,
  Descriptor,
  ImageConfig,
  Manifest,
  Platform,
  TransferOptions,
} from '#core'
import type { FetchedManifest } from './repository.ts'

/** Where an image can be read by tag or digest: a `Repository`, an OCI layout, the local store. */
export interface ImageSource extends BlobSource {
  fetchManifest(tagOrDigest: string, options?: TransferOptions): Promise<FetchedManifest>
}

/** An image pinned by digests; none of its layers has been touched. */
export interface ResolvedImage {
  /** The index that the manifest was chosen from, if there was one. */
  readonly index?: Descriptor
  readonly manifestDescriptor: Descriptor
  readonly manifest: Manifest
  readonly manifestBytes: Buffer
  readonly config: ImageConfig
  readonly configBytes: Buffer
}

export interface ResolveImageOptions extends TransferOptions {
  readonly platform: Platform
}

/** Finds the image for a platform behind a tag or digest. */
export function resolveImage(
  source: ImageSource,
  tagOrDigest: string,
  options: ResolveImageOptions,
): Promise<ResolvedImage> {
  throw new Error(`unfinished ${source} ${tagOrDigest} ${options}`)
}

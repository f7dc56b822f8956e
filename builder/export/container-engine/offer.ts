import type { Bytes, Descriptor, DiffId, EncodedDocument, TransferOptions } from '#core'
import type { Reference } from '#registry-client'

/** A layer that an engine may lack. */
export interface OfferedLayer {
  readonly diffId: DiffId
  readonly descriptor: Descriptor
  /** Where the blob is in the local store; `undefined` for one that it does not have. */
  readonly path: () => string | undefined
  readonly open: (options: TransferOptions) => Promise<Bytes>
}

/** The image of one platform. */
export interface OfferedImage {
  readonly manifest: Descriptor
  readonly config: Descriptor
  /** Bottom layer first. */
  readonly layers: readonly OfferedLayer[]
}

/** A document with its name. */
export interface OfferedDocument extends EncodedDocument {
  readonly descriptor: Descriptor
}

/** An image, or an index of several, as a container engine gets it. */
export interface Offer {
  /** The index, or the only manifest. */
  readonly root: Descriptor
  readonly images: readonly OfferedImage[]
  /** The image that an engine without indexes gets: that of this machine's platform. */
  readonly local: OfferedImage
  /** Configs, manifests, the index, each once. */
  readonly documents: readonly OfferedDocument[]
  /** What is said of images, which is as small as documents. */
  readonly statements: readonly OfferedLayer[]
  /** Set when the engine has everything. */
  readonly names: readonly Reference[]
}

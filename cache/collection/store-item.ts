/** What the items of a store are, as docker and buildx call them; `image` is what a name leads to. */
export const ITEM_TYPES = [
  'regular',
  'source.local',
  'source.git.checkout',
  'exec.cachemount',
  'internal',
  'image',
] as const

export type ItemType = (typeof ITEM_TYPES)[number]

/** Something in a store that takes space, and that is kept or removed as a whole. */
export interface StoreItem extends FoundItem {
  /** Ids of the items that it was made on. */
  readonly parents: readonly string[]
}

/** An item as it is found, by itself. */
export interface FoundItem {
  readonly id: string
  readonly type: ItemType
  /** The step, or what else it is, as a person reads it. */
  readonly description: string
  /** Of a cache mount: what the Dockerfile calls it. Else empty. */
  readonly label: string
  /** On the disk. Of what several items, or several links of a file, have in common each has a part. */
  readonly bytes: number
  /** Milliseconds since the epoch, like `lastUsedAt`. */
  readonly createdAt: number
  /** To the hour. */
  readonly lastUsedAt: number
  /** Seconds that making it again takes, where that is known. */
  readonly seconds: number | undefined
  /** Others change it in its place. */
  readonly isMutable: boolean
  /** A process relies on it. */
  readonly isInUse: boolean
  /** Removing it is impossible, or would be no use. */
  readonly isFixed: boolean
  /** Names of the images that have it. */
  readonly images: readonly string[]
  /** Ids of items that were made on this one and need it. */
  readonly children: readonly string[]
  readonly contents: ItemContents
}

/** What goes when an item is removed. */
export interface ItemContents {
  /** Files and folders, absolute. */
  readonly paths: readonly string[]
  /** Files that go with the last of several items, by their path the ids of all. */
  readonly common: ReadonlyMap<string, readonly string[]>
  /** Rows of the database: the ids of layers, and keys of their records. */
  readonly layer: RemovedLayer | undefined
  /** Locked by those that use it. */
  readonly lock: string | undefined
}

/** What the database forgets of a layer. */
export interface RemovedLayer {
  readonly id: string
  readonly records: readonly string[]
  /** What is known of its tar is needed: an image has it. */
  readonly isNamed: boolean
}

/** Bytes of items together. */
export function sumOfBytes(items: readonly StoreItem[]): number {
  return items.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Contents that are only files. */
export function filesOnly(paths: readonly string[]): ItemContents {
  return { paths, common: new Map(), layer: undefined, lock: undefined }
}

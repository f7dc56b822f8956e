import type { NameTarget } from '../image-names.ts'
import type { BlobFile } from './blob-files.ts'
import { type Documents, hexIn } from './documents.ts'
import { type FoundItem, filesOnly } from './store-item.ts'

/** What the names of a store need. */
export interface ImageNeeds {
  /** Names by what they lead to: a digest. */
  readonly names: ReadonlyMap<string, readonly string[]>
  /** Digests of what a name leads to, by the hex digits of each blob that is needed. */
  readonly needed: ReadonlyMap<string, readonly string[]>
  /** The same by the id of each layer whose folder fits nothing but the stack of an image. */
  readonly stacks: ReadonlyMap<string, readonly string[]>
}

/** Finds out what names need: every blob that they lead to. */
export function readImageNeeds(targets: readonly NameTarget[], documents: Documents): ImageNeeds {
  const names = new Map<string, string[]>()
  for (const { name, digest } of targets) {
    add(names, digest, name ?? digest)
  }
  const needed = new Map<string, string[]>()
  const stacks = new Map<string, string[]>()
  for (const digest of names.keys()) {
    for (const found of documents.reachable([digest])) {
      for (const id of documents.get(found)?.stacks ?? []) add(stacks, id, digest)
      if (found.startsWith(SHA256)) add(needed, found.slice(SHA256.length), digest)
    }
  }
  return { names, needed, stacks }
}

function add(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else if (!list.includes(value)) list.push(value)
}

const SHA256 = 'sha256:'

/** An item for each image: all of its blobs. */
export function imageItems(
  { names, needed }: ImageNeeds,
  blobs: ReadonlyMap<string, BlobFile>,
): readonly FoundItem[] {
  const found = new Map<string, { bytes: number; usedAt: number; createdAt: number }>()
  for (const [hex, digests] of needed) {
    const { bytes = 0, usedAt = 0 } = blobs.get(hex) ?? {}
    for (const digest of digests) {
      const sum = found.get(digest) ?? { bytes: 0, usedAt: 0, createdAt: Date.now() }
      sum.bytes += bytes / digests.length
      sum.usedAt = Math.max(sum.usedAt, usedAt)
      if (usedAt > 0) sum.createdAt = Math.min(sum.createdAt, usedAt)
      found.set(digest, sum)
    }
  }
  return [...names].map(([digest, images]) => {
    const { bytes = 0, usedAt = 0, createdAt = 0 } = found.get(digest) ?? {}
    return {
      ...{ id: hexIn(digest), type: 'image', bytes, images },
      ...{
        description: images.join(', '),
        label: '',
        createdAt,
        lastUsedAt: usedAt,
        seconds: undefined,
      },
      ...{ isMutable: false, isInUse: false, isFixed: true, children: [] },
      contents: filesOnly([]),
    }
  })
}

/** What unnamed blobs are looked at beside. */
export interface BlobSurroundings {
  readonly blobs: ReadonlyMap<string, BlobFile>
  readonly documents: Documents
  /** A name needs it, or it is a form of a layer. */
  readonly isAccountedFor: (hex: string) => boolean
  readonly isPinned: (name: string) => boolean
  /** Blobs of layers that are kept in parts. */
  readonly parted: readonly string[]
  /** Ids of the layers with a blob. */
  readonly layersWith: (hex: string) => readonly string[]
}

/** Items of blobs that are in no image and no layer, and for each blob the ids of those that lead to it. */
export function unnamedItems({ blobs, documents, isPinned, ...around }: BlobSurroundings): {
  readonly items: readonly FoundItem[]
  readonly leadingTo: (hex: string) => readonly string[]
} {
  const unnamed = [...blobs].filter(([hex]) => !around.isAccountedFor(hex))
  const leading = new Map<string, string[]>()
  const lead = (hex: string, ids: readonly string[]): void => {
    for (const digest of documents.get(SHA256 + hex)?.leadsTo ?? []) {
      const to = hexIn(digest)
      if (to !== hex) for (const id of ids) add(leading, to, id)
    }
  }
  for (const [hex] of unnamed) lead(hex, [hex])
  for (const hex of around.parted) lead(hex, around.layersWith(hex))
  const leadingTo = (hex: string): readonly string[] => leading.get(hex) ?? []
  const items = unnamed.map(([hex, { path, usedAt }]): FoundItem => {
    const { kind } = documents.get(SHA256 + hex) ?? {}
    const isDocument = kind !== undefined && kind !== 'parts'
    return {
      ...{ id: hex, type: 'regular', label: '', bytes: 0, images: [], seconds: undefined },
      description: isDocument ? `${kind} of an image without a name` : 'blob of no image',
      ...{ createdAt: usedAt, lastUsedAt: usedAt, isMutable: false, isFixed: false },
      isInUse: isPinned(hex),
      children: leadingTo(hex),
      contents: filesOnly([path]),
    }
  })
  return { items, leadingTo }
}

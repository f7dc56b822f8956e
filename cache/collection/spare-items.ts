import type { BlobFile } from './blob-files.ts'
import type { LayerRow } from './layer-rows.ts'
import type { FoundItem } from './store-item.ts'

/**
 * Bytes of tars that are packed in a second, about, on two processors: less than a download costs, so that of what was
 * used at the same time, packed blobs go before what they could not be made of without a network.
 */
const PACKED = 100_000_000

/** What spare blobs are looked at beside. */
export interface SpareSurroundings {
  readonly blobs: ReadonlyMap<string, BlobFile>
  /** Whether an image needs a blob, by its hex digits. */
  readonly isNeeded: (hex: string) => boolean
  readonly isPinned: (name: string) => boolean
  /** Ids of items that need a blob: documents that lead to it. */
  readonly documentsOn: (hex: string) => readonly string[]
}

/** The blobs that a layer was packed to here and that nothing needs, because its tar is here: hex digits. */
export function spareBlobs(
  { diffId, packed }: LayerRow,
  { blobs, isNeeded, documentsOn }: SpareSurroundings,
): readonly string[] {
  if (diffId === undefined || !blobs.has(diffId)) return []
  return packed.filter((hex) => blobs.has(hex) && !isNeeded(hex) && documentsOn(hex).length === 0)
}

/** The item of each packed blob that can be made again of the tar of its layer. */
export function spareItems(
  rows: readonly LayerRow[],
  around: SpareSurroundings,
): readonly FoundItem[] {
  const items = rows.flatMap((row) =>
    spareBlobs(row, around).flatMap((hex) => {
      const file = around.blobs.get(hex)
      return file === undefined ? [] : [spareItem(hex, { row, file, around })]
    }),
  )
  // Several layers may have the same content.
  return [...new Map(items.map((item) => [item.id, item])).values()]
}

interface SpareContext {
  readonly row: LayerRow
  readonly file: BlobFile
  readonly around: SpareSurroundings
}

function spareItem(hex: string, { row, file, around }: SpareContext): FoundItem {
  const { path, bytes, usedAt } = file
  const [newest] = row.records.toSorted((a, b) => b.created - a.created)
  return {
    ...{ id: hex, type: 'regular', label: '', bytes, images: [], children: [] },
    description: newest === undefined ? 'packed layer' : `packed layer of ${newest.description}`,
    ...{ createdAt: usedAt, lastUsedAt: usedAt, seconds: (row.size ?? 0) / PACKED },
    ...{ isMutable: false, isInUse: around.isPinned(hex), isFixed: false },
    contents: { paths: [], common: new Map([[path, [hex]]]), layer: undefined, lock: undefined },
  }
}

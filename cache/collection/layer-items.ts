import { lstatSync } from 'node:fs'
import type { Layout } from '../filesystem/layout.ts'
import type { BlobFile } from './blob-files.ts'
import { filesOfLayer, type LayerRow } from './layer-rows.ts'
import type { ItemType, StoreItem } from './store-item.ts'

/** What layers are looked at beside. */
export interface LayerSurroundings {
  readonly layout: Layout
  readonly blobs: ReadonlyMap<string, BlobFile>
  /** Names of the images that need a blob, by its hex digits. */
  readonly imagesOf: (hex: string) => readonly string[]
  readonly isPinned: (name: string) => boolean
  /** Ids of items that need a blob: documents that lead to it. */
  readonly documentsOn: (hex: string) => readonly string[]
}

/** The item of each layer: its folders, the blobs that no image needs, and the results of steps. */
export function layerItems(
  rows: readonly LayerRow[],
  around: LayerSurroundings,
): readonly StoreItem[] {
  const byDiffId = Map.groupBy(rows, ({ id, diffId }) => diffId ?? id)
  const childrenOf = childrenBetween(rows)
  return rows.map((row) => {
    const equal = byDiffId.get(row.diffId ?? row.id) ?? [row]
    return layerItem(row, { equal, children: childrenOf(row), around })
  })
}

interface RowContext {
  /** All rows of the same content, which have their blobs in common. */
  readonly equal: readonly LayerRow[]
  readonly children: readonly string[]
  readonly around: LayerSurroundings
}

function layerItem(row: LayerRow, { equal, children, around }: RowContext): StoreItem {
  const { id, diffId, earlier, compressed, records } = row
  const hexes = [...(diffId === undefined ? [] : [diffId]), ...compressed]
  const images = [...new Set(hexes.flatMap(around.imagesOf))].sort()
  const own = hexes.filter((hex) => around.imagesOf(hex).length === 0)
  const present = own.flatMap((hex) => around.blobs.get(hex) ?? [])
  const times = timesOf(row, hexes, around)
  const common = new Map(present.map(({ path }) => [path, equal.map((one) => one.id)]))
  const names = [id, ...earlier.map(({ name }) => name), ...hexes]
  const took = records.flatMap(({ milliseconds }) => milliseconds ?? [])
  return {
    id,
    type: typeOf(id),
    description: descriptionOf(row),
    bytes: present.reduce((sum, { bytes }) => sum + bytes / equal.length, 0),
    ...times,
    seconds: took.length === 0 ? undefined : Math.max(...took) / 1000,
    isMutable: false,
    isInUse: names.some(around.isPinned),
    isFixed: false,
    images,
    children: [...children, ...own.flatMap(around.documentsOn)],
    contents: {
      paths: filesOfLayer(around.layout, row),
      common,
      layer: { id, records: records.map(({ key }) => key), isNamed: images.length > 0 },
      lock: undefined,
    },
  }
}

/** Ids of the layers that lie on a RUN's: without it, the next build would put them on another one. */
function childrenBetween(rows: readonly LayerRow[]): (row: LayerRow) => readonly string[] {
  const lying = new Map<string, Set<string>>()
  for (const { id, records } of rows) {
    for (const { below } of records) {
      if (below !== undefined) lying.set(below, (lying.get(below) ?? new Set()).add(id))
    }
  }
  return ({ id, records }) => {
    const found = records.flatMap(({ key }) => [...(lying.get(key) ?? [])])
    return [...new Set(found)].filter((one) => one !== id)
  }
}

/** Without a record, a layer is as old as its folder, and used when its blobs were. */
function timesOf(
  row: LayerRow,
  hexes: readonly string[],
  { layout, blobs }: LayerSurroundings,
): Pick<StoreItem, 'createdAt' | 'lastUsedAt'> {
  const files = filesOfLayer(layout, row).flatMap((path) => {
    const found = lstatSync(path, { throwIfNoEntry: false })
    return found === undefined ? [] : [found.ctimeMs]
  })
  const uses = hexes.flatMap((hex) => blobs.get(hex)?.usedAt ?? [])
  const { records } = row
  if (records.length === 0) {
    const all = [...files, ...uses]
    return { createdAt: Math.min(Date.now(), ...all), lastUsedAt: Math.max(0, ...all) }
  }
  return {
    createdAt: Math.min(...records.map(({ created }) => created)),
    lastUsedAt: Math.max(...records.map(({ used }) => used)),
  }
}

/** Ids that are digests of something: all but those of layers whose content is not known. */
const NAMED_ID = /^([a-z])[0-9a-f]{63}$/

function typeOf(id: string): ItemType {
  const [, letter] = NAMED_ID.exec(id) ?? []
  if (letter === 'm') return 'internal'
  return letter === 'g' ? 'source.git.checkout' : 'regular'
}

function descriptionOf({ id, records }: LayerRow): string {
  const [newest] = records.toSorted((a, b) => b.created - a.created)
  if (newest !== undefined) return newest.description
  const [, letter] = NAMED_ID.exec(id) ?? []
  if (letter === 'm') return 'merged layers'
  if (letter === 'u') return 'files of a downloaded context'
  return 'layer of a base image'
}

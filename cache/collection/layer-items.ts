import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { Layout } from '../filesystem/layout.ts'
import { fileAt } from './blob-files.ts'
import { blobsOfLayer, filesOfLayer, type LayerRow } from './layer-rows.ts'
import { type SpareSurroundings, spareBlobs } from './spare-items.ts'
import type { FoundItem, ItemType } from './store-item.ts'

/** What layers are looked at beside. */
export interface LayerSurroundings extends SpareSurroundings {
  readonly layout: Layout
  /** Names of the images that have a layer. */
  readonly imagesOf: (row: LayerRow) => readonly string[]
  /** Whether a container was made of an image that has it. */
  readonly isUnderContainer: (row: LayerRow) => boolean
}

/**
 * The item of each layer: its folders, the blobs that no image needs, what is noted of its tar, and the results of steps.
 */
export function layerItems(
  rows: readonly LayerRow[],
  around: LayerSurroundings,
): readonly FoundItem[] {
  const byDiffId = Map.groupBy(rows, ({ id, diffId }) => diffId ?? id)
  const childrenOf = childrenBetween(rows)
  return rows
    .filter((row) => !isFactsOnly(row, around))
    .map((row) => {
      const equal = byDiffId.get(row.diffId ?? row.id) ?? [row]
      return layerItem(row, { equal, children: childrenOf(row), around })
    })
}

/** What is known of the tar of an image's layer takes no space and serves the image. */
function isFactsOnly(row: LayerRow, around: LayerSurroundings): boolean {
  if (row.kinds !== 0 || row.records.length > 0) return false
  const { isNeeded, blobs } = around
  const spare = spareBlobs(row, around)
  const hexes = blobsOfLayer(row).filter((hex) => !spare.includes(hex))
  return hexes.some(isNeeded) && !hexes.some((hex) => blobs.has(hex) && !isNeeded(hex))
}

interface RowContext {
  /** All rows of the same content, which have their blobs in common. */
  readonly equal: readonly LayerRow[]
  readonly children: readonly string[]
  readonly around: LayerSurroundings
}

function layerItem(row: LayerRow, { equal, children, around }: RowContext): FoundItem {
  const { id, earlier, records } = row
  const hexes = blobsOfLayer(row)
  const own = hexes.filter((hex) => !around.isNeeded(hex))
  const spare = spareBlobs(row, around)
  const present = own.flatMap((hex) => (spare.includes(hex) ? [] : (around.blobs.get(hex) ?? [])))
  const times = timesOf(row, hexes, around)
  const noted =
    row.diffId === undefined ? undefined : fileAt(join(around.layout.contents, row.diffId))
  const shared = noted === undefined ? present : [...present, noted]
  // Spare ones have items of their own, and go with the layer, too.
  const going = [...shared, ...spare.flatMap((hex) => around.blobs.get(hex) ?? [])]
  const common = new Map(going.map(({ path }) => [path, equal.map((one) => one.id)]))
  const names = [id, ...earlier.map(({ name }) => name), ...hexes]
  return {
    id,
    type: typeOf(id),
    description: descriptionOf(row),
    label: '',
    bytes: shared.reduce((sum, { bytes }) => sum + bytes / equal.length, 0),
    ...times,
    seconds: secondsOf(row),
    isMutable: false,
    isInUse: names.some(around.isPinned) || around.isUnderContainer(row),
    isFixed: false,
    images: around.imagesOf(row),
    children: [...children, ...own.flatMap(around.documentsOn)],
    contents: {
      paths: filesOfLayer(around.layout, row),
      common,
      layer: { id, records: records.map(({ key }) => key), isNamed: own.length < hexes.length },
      lock: undefined,
    },
  }
}

/**
 * Ids of the layers that lie on a RUN's: without it, the next build would put them on another one. And of those
 * whose folders have only what differs from a layer's.
 */
function childrenBetween(rows: readonly LayerRow[]): (row: LayerRow) => readonly string[] {
  const lying = new Map<string, Set<string>>()
  const parted = Map.groupBy(rows, ({ differsFrom }) => differsFrom)
  for (const { id, records } of rows) {
    for (const { below } of records) {
      if (below !== undefined) lying.set(below, (lying.get(below) ?? new Set()).add(id))
    }
  }
  return ({ id, records }) => {
    const found = records.flatMap(({ key }) => [...(lying.get(key) ?? [])])
    const differing = (parted.get(id) ?? []).map((row) => row.id)
    return [...new Set([...found, ...differing])].filter((one) => one !== id)
  }
}

/** Without a record, a layer is as old as its folder, and used when its blobs were. */
function timesOf(
  row: LayerRow,
  hexes: readonly string[],
  { layout, blobs }: LayerSurroundings,
): Pick<FoundItem, 'createdAt' | 'lastUsedAt'> {
  const { records } = row
  if (records.length > 0) {
    return {
      createdAt: Math.min(...records.map(({ created }) => created)),
      lastUsedAt: Math.max(...records.map(({ used }) => used)),
    }
  }
  const files = filesOfLayer(layout, row).flatMap((path) => {
    const found = lstatSync(path, { throwIfNoEntry: false })
    return found === undefined ? [] : [found.ctimeMs]
  })
  const all = [...files, ...hexes.flatMap((hex) => blobs.get(hex)?.usedAt ?? [])]
  return { createdAt: Math.min(Date.now(), ...all), lastUsedAt: Math.max(0, ...all) }
}

/** Ids that are digests of something: all but those of layers whose content is not known. */
const NAMED_ID = /^([g-z])[0-9a-f]{63}$/

function letterOf(id: string): string | undefined {
  return NAMED_ID.exec(id)?.[1]
}

function typeOf(id: string): ItemType {
  const letter = letterOf(id)
  if (letter === 'm') return 'internal'
  return letter === 'g' ? 'source.git.checkout' : 'regular'
}

function descriptionOf({ id, records, compressed }: LayerRow): string {
  const [newest] = records.toSorted((a, b) => b.created - a.created)
  if (newest !== undefined) return newest.description
  const letter = letterOf(id)
  if (letter === 'm') return 'merged layers'
  if (letter === 'u') return 'files of a downloaded context'
  return compressed.length > 0 ? 'layer of a base image' : 'result that a newer one has replaced'
}

/** Nothing finds a layer that is neither a step's nor a base image's, unless the same is made again. */
function secondsOf({ id, records, compressed }: LayerRow): number | undefined {
  const took = records.flatMap(({ milliseconds }) => milliseconds ?? [])
  if (took.length > 0) return Math.max(...took) / 1000
  return records.length === 0 && compressed.length === 0 && (letterOf(id) ?? 't') === 't'
    ? 0
    : undefined
}

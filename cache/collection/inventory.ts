import { join } from 'node:path'
import type { Layout } from '../filesystem/layout.ts'
import { pinsOfAll } from '../filesystem/pins.ts'
import { isLayerId, isStackLayerId } from '../records/layer-id.ts'
import type { StoreParts } from '../store.ts'
import { readBlobFiles } from './blob-files.ts'
import { type ImageNeeds, imageItems, readImageNeeds, unnamedItems } from './blob-items.ts'
import { type Documents, hexIn } from './documents.ts'
import {
  buildItems,
  contentsItems,
  damagedItems,
  digestItems,
  joinedItems,
  keptItems,
  leftoverItems,
  mountItems,
  storeItems,
} from './folder-items.ts'
import { layerItems } from './layer-items.ts'
import { blobsOfLayer, filesOfLayer, type LayerRow, readLayerRows } from './layer-rows.ts'
import { spareItems } from './spare-items.ts'
import type { FoundItem, StoreItem } from './store-item.ts'

/**
 * Everything that is in a store, and what needs what, at this moment. Folders are not measured: of those, items
 * have no bytes yet. It blocks, for some milliseconds in a store of a thousand steps.
 * @throws {TsbuildError} STORE_INVALID when it cannot be found out what the images are
 */
export function readInventory(parts: StoreParts, documents: Documents): readonly StoreItem[] {
  const { layout, presence, database, images } = parts
  const ofContainers = parts.engine.images().map((digest) => ({ name: undefined, digest }))
  const needs = readImageNeeds([...images.targets(), ...ofContainers], documents)
  const needsOfContainers = readImageNeeds(ofContainers, documents)
  const blobs = readBlobFiles(layout)
  const rows = readLayerRows(database)
  const pins = expanded(pinsOfAll(layout, presence), documents)
  const isPinned = (name: string): boolean => pins.has(name)
  const isNeeded = (hex: string): boolean => needs.needed.has(hex)
  const formsOfLayers = new Set(rows.flatMap(blobsOfLayer))
  const isAccountedFor = (hex: string): boolean => isNeeded(hex) || formsOfLayers.has(hex)
  const byDiffId = Map.groupBy(rows, ({ diffId }) => diffId)
  const layersWith = (hex: string): readonly string[] =>
    (byDiffId.get(hex) ?? []).map(({ id }) => id)
  const parted = [...blobs.keys()].filter(
    (hex) => byDiffId.has(hex) && blobs.get(hex)?.path === join(layout.parts, hex),
  )
  const unnamed = unnamedItems({
    ...{ blobs, documents, isAccountedFor, isPinned, parted, layersWith },
  })
  const imagesOf = (row: LayerRow): readonly string[] => namesOf(row, needs)
  const documentsOn = unnamed.leadingTo
  const surroundings = { layout, blobs, isNeeded, imagesOf, isPinned, documentsOn }
  // What containers write lies on the folders, whether they run or not.
  const isUnderContainer = (row: LayerRow): boolean => namesOf(row, needsOfContainers).length > 0
  const layers = layerItems(rows, { ...surroundings, isUnderContainer })
  const ofLayers = new Set(layers.flatMap(({ contents }) => [...contents.common.keys()]))
  return withParents([
    ...imageItems(needs, blobs),
    // Before others: they go first among what is worth the same.
    ...keptItems(layout, isPinned),
    ...buildItems(layout, (id) => presence.isAlive(id)),
    ...spareItems(rows, surroundings),
    ...layers,
    ...unnamed.items,
    ...mountItems(layout),
    ...digestItems(layout),
    ...contentsItems(layout, (path) => ofLayers.has(path)),
    ...joinedItems(layout),
    ...damagedItems(layout),
    ...leftoverItems(layout, { isKnown: pathsOf(layout, rows), isPinned }),
    ...storeItems(layout),
  ])
}

/** A folder that fits one stack only is had by the images with that stack, whoever else has its content. */
function namesOf(row: LayerRow, { names, needed, stacks }: ImageNeeds): readonly string[] {
  const digests =
    isLayerId(row.id) && isStackLayerId(row.id)
      ? (stacks.get(row.id) ?? [])
      : blobsOfLayer(row).flatMap((hex) => needed.get(hex) ?? [])
  return [...new Set(digests.flatMap((digest) => names.get(digest) ?? []))].sort()
}

function withParents(items: readonly FoundItem[]): readonly StoreItem[] {
  const parents = new Map<string, string[]>()
  for (const { id, children } of items) {
    for (const child of children) parents.set(child, [...(parents.get(child) ?? []), id])
  }
  return items.map((item) => ({ ...item, parents: parents.get(item.id) ?? [] }))
}

function pathsOf(layout: Layout, rows: readonly LayerRow[]): (path: string) => boolean {
  const known = new Set(rows.flatMap((row) => filesOfLayer(layout, row)))
  return (path) => known.has(path)
}

/** Who relies on a document relies on what it leads to. */
function expanded(pins: ReadonlySet<string>, documents: Documents): ReadonlySet<string> {
  const digests = [...pins].filter((name) => name.length === 64).map((name) => `sha256:${name}`)
  const reached = Array.from(documents.reachable(digests), hexIn)
  return new Set([...pins, ...reached])
}

import type { StoreItem } from '#cache'
import { formatAge } from '../terminal/age.ts'
import { alignedTable } from '../terminal/table.ts'
import { cleanLine, formatBytes } from '../terminal/text.ts'

const HEADINGS = ['ID', 'RECLAIMABLE', 'SIZE', 'LAST ACCESSED', 'DESCRIPTION']
const ID_LENGTH = 12
const LONGEST = 80

/** Items, and why each of them is kept. */
export interface ItemList {
  readonly items: readonly StoreItem[]
  /** `undefined` for an item that may go. */
  readonly keptBy: (item: StoreItem) => string | undefined
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** A line for each item. */
export function itemTable({ items, keptBy, now }: ItemList): string {
  const rows = items.map((item) => [
    idText(item),
    String(keptBy(item) === undefined),
    sizeText(item),
    ageText(item, now),
    shortened(item.description),
  ])
  return alignedTable([HEADINGS, ...rows])
}

/** A block of lines for each item. */
export function itemBlocks({ items, keptBy, now }: ItemList): string {
  return items
    .map((item) => {
      const kept = keptBy(item)
      const fields: readonly (readonly [string, string | undefined])[] = [
        ['ID', item.id],
        ['Parents', item.parents.length === 0 ? undefined : item.parents.join(', ')],
        ['Created at', new Date(item.createdAt).toISOString()],
        ['Mutable', String(item.isMutable)],
        ['Reclaimable', String(kept === undefined)],
        ['Shared', String(item.images.length > 0)],
        ['Size', formatBytes(item.bytes)],
        ['Description', cleanLine(item.description)],
        ['Kept by', kept && cleanLine(kept)],
        ['Cost', item.seconds === undefined ? undefined : `${item.seconds.toFixed(1)}s`],
        ['Last used', ageText(item, now)],
        ['Type', item.type],
      ]
      const lines = fields.flatMap(([name, value]) =>
        value === undefined ? [] : [`${`${name}:`.padEnd(16)}${value}\n`],
      )
      return `${lines.join('')}\n`
    })
    .join('')
}

/** What each item is, for programs. */
export function itemRecords({ items, keptBy }: Omit<ItemList, 'now'>): readonly object[] {
  return items.map((item) => {
    const kept = keptBy(item)
    return {
      id: item.id,
      type: item.type,
      description: item.description,
      parents: item.parents,
      size: item.bytes,
      createdAt: new Date(item.createdAt).toISOString(),
      lastUsedAt: new Date(item.lastUsedAt).toISOString(),
      seconds: item.seconds ?? null,
      mutable: item.isMutable,
      inUse: item.isInUse,
      shared: item.images.length > 0,
      reclaimable: kept === undefined,
      keptBy: kept ?? null,
      images: item.images,
    }
  })
}

/** `*`: it is changed in its place. */
function idText({ id, isMutable }: StoreItem): string {
  return id.slice(0, ID_LENGTH) + (isMutable ? '*' : '')
}

/** `*`: images have it. */
function sizeText({ bytes, images }: StoreItem): string {
  return formatBytes(bytes) + (images.length > 0 ? '*' : '')
}

function ageText({ lastUsedAt }: StoreItem, now: number): string {
  return lastUsedAt === 0 ? '' : formatAge(lastUsedAt, now)
}

function shortened(text: string): string {
  const line = cleanLine(text)
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line
}

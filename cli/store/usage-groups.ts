import type { StoreItem } from '#cache'
import { formatAge } from '../terminal/age.ts'
import { alignedTable } from '../terminal/table.ts'
import { cleanLine, formatBytes } from '../terminal/text.ts'

/** Items that were added up. */
export interface UsageGroup {
  /** A step, or the name of an image. */
  readonly name: string
  readonly items: number
  /** Bytes on the disk. */
  readonly size: number
  /** Milliseconds since the epoch. */
  readonly lastUsedAt: number
}

/** What has no image. */
const NO_IMAGE = '(no image)'

/** By what made them: all versions of a step together. The largest first. */
export function groupsByStep(items: readonly StoreItem[]): readonly UsageGroup[] {
  return groups(items, ({ description }) => [description])
}

/** By the images that have them: of what several have, each has a part. The largest first. */
export function groupsByImage(items: readonly StoreItem[]): readonly UsageGroup[] {
  return groups(items, ({ images }) => (images.length === 0 ? [NO_IMAGE] : images))
}

/** A line for each group. */
export function groupTable(heading: string, found: readonly UsageGroup[], now: number): string {
  const rows = found.map(({ name, items, size, lastUsedAt }) => [
    formatBytes(size),
    String(items),
    formatAge(lastUsedAt, now),
    cleanLine(name),
  ])
  return alignedTable([['SIZE', 'ITEMS', 'LAST ACCESSED', heading], ...rows])
}

function groups(
  items: readonly StoreItem[],
  namesOf: (item: StoreItem) => readonly string[],
): readonly UsageGroup[] {
  const found = new Map<string, UsageGroup>()
  for (const item of items) {
    const names = namesOf(item)
    for (const name of names) {
      const known = found.get(name) ?? { name, items: 0, size: 0, lastUsedAt: 0 }
      found.set(name, {
        name,
        items: known.items + 1,
        size: known.size + item.bytes / names.length,
        lastUsedAt: Math.max(known.lastUsedAt, item.lastUsedAt),
      })
    }
  }
  const rounded = [...found.values()].map((one) => ({ ...one, size: Math.round(one.size) }))
  return rounded.sort((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1))
}

import { lstatSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Layout } from '../filesystem/layout.ts'
import type { Database } from '../records/database.ts'
import { readBlobFiles } from './blob-files.ts'
import { mountItems } from './folder-items.ts'

/** A folder of small files takes so many times the bytes of its tar, at most, for all that was seen. */
const FOLDER_FACTOR = 4

const FOLDERS = `SELECT layers.id, layers.size, renamed.name FROM layers
  LEFT JOIN renamed ON renamed.id = layers.id AND renamed.holds <> 0 WHERE directory <> 0`

/**
 * At most what a store takes, as good as certainly: by what was measured once, and the sizes of its blobs and of the
 * tars of later layers; infinite where that does not tell. Nothing is walked.
 */
export function estimateUse(layout: Layout, database: Database): number {
  let used = filesOf(layout)
  const measured = new Map<string, number>()
  for (const row of database.all('SELECT path, bytes, measured FROM sizes')) {
    measured.set(basename(String(row.path)), Number(row.measured))
    used += Number(row.bytes)
  }
  if (hasChangedMount(layout, measured)) return Number.POSITIVE_INFINITY
  for (const { id, size, name } of database.all(FOLDERS)) {
    if (measured.has(String(name ?? id))) continue
    // A download, say: nothing tells but a walk.
    if (typeof size !== 'number') return Number.POSITIVE_INFINITY
    used += FOLDER_FACTOR * size
  }
  for (const { bytes } of readBlobFiles(layout).values()) used += bytes
  return used
}

/** True where a cache mount was used since it was measured: it may have any size. */
function hasChangedMount(layout: Layout, measured: ReadonlyMap<string, number>): boolean {
  return mountItems(layout).some(({ id, lastUsedAt }) => lastUsedAt >= (measured.get(id) ?? 0))
}

/** Of the database, mostly. */
function filesOf({ root }: Layout): number {
  const files = readdirSync(root).map((name) =>
    lstatSync(join(root, name), { throwIfNoEntry: false }),
  )
  return files.reduce((sum, found) => sum + (found?.isFile() === true ? found.blocks * 512 : 0), 0)
}

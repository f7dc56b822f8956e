import { lstatSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Layout } from '../filesystem/layout.ts'
import type { Database } from '../records/database.ts'
import { readBlobFiles } from './blob-files.ts'

/** A folder of small files takes so many times the bytes of its tar, at most, for all that was seen. */
const FOLDER_FACTOR = 4

const FOLDERS = `SELECT layers.id, layers.size, renamed.name FROM layers
  LEFT JOIN renamed ON renamed.id = layers.id AND renamed.holds <> 0 WHERE directory <> 0`

/**
 * At most what a store takes, as good as certainly: by what was measured once, and the sizes of its blobs and of the
 * tars of later layers. Nothing is walked.
 */
export function estimateUse(layout: Layout, database: Database): number {
  let used = filesOf(layout)
  const measured = new Set<string>()
  for (const { path, bytes } of database.all('SELECT path, bytes FROM sizes')) {
    measured.add(basename(String(path)))
    used += Number(bytes)
  }
  for (const { id, size, name } of database.all(FOLDERS)) {
    if (!measured.has(String(name ?? id))) used += FOLDER_FACTOR * Number(size ?? 0)
  }
  for (const { bytes } of readBlobFiles(layout).values()) used += bytes
  return used
}

/** Of the database, mostly. */
function filesOf({ root }: Layout): number {
  const files = readdirSync(root).map((name) =>
    lstatSync(join(root, name), { throwIfNoEntry: false }),
  )
  return files.reduce((sum, found) => sum + (found?.isFile() === true ? found.blocks * 512 : 0), 0)
}

/**
 * Which files of a layer have owners that are presumed, by its diffID: layers leave the machine under it,
 * long after their directories were removed.
 */
import type { DiffId, OwnedFiles } from '#core'
import type { Database } from './database.ts'
import { sumOf } from './schema.ts'

/** The files of a layer whose owners are presumed; `undefined` when there are none. */
export function presumedOwners(database: Database, diffId: DiffId): OwnedFiles | undefined {
  const { files, sum } = database.get('SELECT * FROM presumed WHERE diff_id = ?', diffId) ?? {}
  if (typeof files !== 'string' || sum !== sumOf(diffId, files)) return undefined
  return JSON.parse(files) as OwnedFiles
}

/** Records the files whose owners are presumed; `undefined`: all owners are what the layer says. */
export function setPresumedOwners(
  database: Database,
  diffId: DiffId,
  presumed: OwnedFiles | undefined,
): void {
  if (presumed === undefined) {
    database.run('DELETE FROM presumed WHERE diff_id = ?', diffId)
    return
  }
  const files = JSON.stringify(presumed)
  database.run(
    'INSERT OR REPLACE INTO presumed (diff_id, files, sum) VALUES (?, ?, ?)',
    ...[diffId, files, sumOf(diffId, files)],
  )
}

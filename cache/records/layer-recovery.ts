import { FOLDER_KINDS } from '../filesystem/folder-kind.ts'
import type { Layout } from '../filesystem/layout.ts'
import type { Database } from './database.ts'
import { unknownFolders } from './layer-folder.ts'

/** What is recovered. */
interface RecoveredStore {
  readonly layout: Layout
  readonly database: Database
  /** This boot: what an earlier one had not written to the disk may be incomplete. */
  readonly boot: string
}

/** After a reboot: drops folders of layers that may be incomplete; these and unknown ones go to `discard`. */
export function recoverLayers(
  discard: (path: string) => void,
  { layout, database, boot }: RecoveredStore,
): void {
  database.transaction(() => {
    database.run(
      'UPDATE layers SET directory = 0, boot = NULL WHERE boot IS NOT NULL AND boot <> ?',
      boot,
    )
    database.run('DELETE FROM layers WHERE directory = 0 AND diff_id IS NULL')
    for (const table of ['renamed', 'differences']) {
      database.run(`DELETE FROM ${table} WHERE id NOT IN (SELECT id FROM layers)`)
    }
  })
  for (const kind of FOLDER_KINDS) {
    for (const path of unknownFolders(layout, database, kind)) discard(path)
  }
}

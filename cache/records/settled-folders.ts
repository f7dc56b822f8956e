import { chmodSync, lstatSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Database } from './database.ts'

/**
 * When folders of layers were changed last by the store itself, in stores in which others may change them:
 * steps that run in place. Kept in the database, so that a later build knows what a killed one damaged.
 */
export class SettledFolders {
  readonly #database: Database
  #isKept = false

  constructor(database: Database) {
    this.#database = database
  }

  get isKept(): boolean {
    return this.#isKept
  }

  /** Keeps times from now on. Folders whose time is not known are taken as they are. */
  begin(directories: readonly string[], now: number): void {
    if (this.#isKept) return
    this.#isKept = true
    const folders = JSON.stringify(directories.map(folderOf))
    this.#database.transaction(() => {
      this.#database.run(
        'DELETE FROM settled WHERE folder NOT IN (SELECT value FROM json_each(?))',
        folders,
      )
      this.#database.run(
        'INSERT OR IGNORE INTO settled (folder, until) SELECT value, ? FROM json_each(?)',
        ...[now, folders],
      )
    })
  }

  /** To be called when another folder has come to a place. */
  renew(directory: string): void {
    const folder = folderOf(directory)
    if (this.#isKept) {
      // Not every file system counts a new name as a change.
      chmodSync(directory, lstatSync(directory).mode & 0o7777)
      const { ctimeMs } = lstatSync(directory)
      this.#database.run(
        'INSERT OR REPLACE INTO settled (folder, until) VALUES (?, ?)',
        ...[folder, ctimeMs],
      )
    } else if (this.until(directory) !== undefined) {
      this.#database.run('DELETE FROM settled WHERE folder = ?', folder)
    }
  }

  /** Milliseconds; `undefined`: not known. */
  until(directory: string): number | undefined {
    const row = this.#database.get(
      'SELECT until FROM settled WHERE folder = ?',
      folderOf(directory),
    )
    return typeof row?.until === 'number' ? row.until : undefined
  }
}

/** Its path in the store: the kind and the name. */
function folderOf(directory: string): string {
  return `${basename(dirname(directory))}/${basename(directory)}`
}

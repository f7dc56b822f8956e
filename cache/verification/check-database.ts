import { lstatSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { databaseFailure, isDamage } from '../filesystem/failure.ts'
import type { Layout } from '../filesystem/layout.ts'
import { SCHEMA_VERSION } from '../records/schema.ts'
import type { Finding } from './finding.ts'

/** Of the complaints of SQLite, so many are looked for: one is enough to set the file aside. */
const COMPLAINTS = 3

/**
 * Whether SQLite finds the database of a store sound. It is read by a connection that cannot write: the
 * store's own one puts an empty database in the place of a damaged one. Opening the store is the repair.
 */
export function checkDatabase({ database, version }: Layout): readonly Finding[] {
  const problem = problemOf(database, lstatSync(version, { throwIfNoEntry: false }) !== undefined)
  if (problem === undefined) return []
  return [
    {
      severity: 'damage',
      subject: 'tsbuild.db',
      problem: `${problem}: what steps have made is not found any more, so they run again`,
      remedy: 'sets it aside and makes an empty one',
      repair: () => undefined,
    },
  ]
}

function problemOf(path: string, isMade: boolean): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return isMade ? 'is missing' : undefined
  // What stands in its place is found with the other files.
  if (!found.isFile()) return undefined
  try {
    return complaintOf(path)
  } catch (cause) {
    if (isDamage(cause, path) && cause instanceof Error) return cause.message
    throw databaseFailure(`read ${path}`, cause, dirname(path))
  }
}

function complaintOf(path: string): string | undefined {
  const connection = new DatabaseSync(path, { readOnly: true })
  try {
    connection.exec('PRAGMA busy_timeout = 20000')
    const version = Number(connection.prepare('PRAGMA user_version').get()?.user_version)
    if (version !== SCHEMA_VERSION) return `has version ${version}, not ${SCHEMA_VERSION}`
    const rows = connection.prepare(`PRAGMA integrity_check(${COMPLAINTS})`).all()
    const complaints = rows.map((row) => String(row.integrity_check))
    return complaints.join() === 'ok' ? undefined : complaints.join(', ')
  } finally {
    connection.close()
  }
}

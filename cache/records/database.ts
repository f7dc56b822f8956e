import { lstatSync, renameSync, rmSync, statSync } from 'node:fs'
import {
  DatabaseSync,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementSync,
} from 'node:sqlite'
import { databaseFailure, isDamage, SQLITE, sqliteCodeOf } from '../filesystem/failure.ts'
import { lockSync } from '../filesystem/file-lock.ts'
import type { Layout } from '../filesystem/layout.ts'
import { setAside } from '../filesystem/replace-file.ts'
import { syncFolder } from '../filesystem/sync.ts'
import { LATER_TABLES, SCHEMA, SCHEMA_VERSION } from './schema.ts'

/** A row of a query, by column. */
export type Row = Record<string, SQLOutputValue>

/** Long enough for any sane writer: a transaction of ours takes well under a millisecond. */
const BUSY_MILLISECONDS = 20_000

/** Of a log that is left as it is; a build writes some 100 KiB. */
const MAX_LOG_BYTES = 576 * 1024

const EXTENSIONS = ['', '-wal', '-shm']

/**
 * The store's SQLite file, opened by its first use. What it holds is derived or can be made again,
 * so a damaged file is set aside and an empty one takes its place; no build fails for it.
 */
export class Database implements Disposable {
  readonly #layout: Layout
  #connection: DatabaseSync | undefined
  #statements = new Map<string, StatementSync>()
  #inode: bigint | undefined
  #depth = 0
  /** True when something was written that a power cut would take away. */
  unsynced: boolean = false
  /** Called when an empty database has taken the place of a damaged one. */
  onReplaced: () => void = () => undefined

  constructor(layout: Layout) {
    this.#layout = layout
  }

  /** Parameters are plain `?`, here and below: Node 22 cannot bind numbered ones to values. */
  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#guarded(() => this.#prepare(sql).get(...values))
  }

  all(sql: string, ...values: SQLInputValue[]): readonly Row[] {
    return this.#guarded(() => this.#prepare(sql).all(...values))
  }

  /** How many rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    const { changes } = this.#guarded(() => this.#prepare(sql).run(...values))
    this.unsynced = true
    return Number(changes)
  }

  /** Runs `work` in one transaction; again from its start when the file turns out to be damaged. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work()
    return this.#guarded(() => {
      this.#execute('BEGIN IMMEDIATE')
      let ended = false
      try {
        const result = work()
        this.#execute('COMMIT')
        ended = true
        return result
      } finally {
        if (!ended) this.#rollBack()
      }
    })
  }

  /** Like `transaction`, and what was committed until its end survives a power cut. */
  durably(work: () => void): void {
    this.#guarded(() => this.#execute('PRAGMA synchronous = FULL'))
    try {
      this.transaction(() => {
        work()
        // A transaction that changes nothing would sync nothing.
        const sql = "INSERT OR REPLACE INTO state (name, value) VALUES ('synced', ?)"
        this.run(sql, new Date().toISOString())
      })
      this.unsynced = false
    } finally {
      this.#guarded(() => this.#execute('PRAGMA synchronous = NORMAL'))
    }
  }

  /** Looks for damage that reading a row would not meet, such as a row that its index misses. */
  check(): void {
    this.#guarded(() => {
      const found = this.#prepare('PRAGMA integrity_check(1)').get()
      const verdict = String(found?.integrity_check)
      if (verdict !== 'ok') throw new DamagedError(verdict)
    })
  }

  [Symbol.dispose](): void {
    this.#statements.clear()
    if (this.#connection === undefined) return
    using _ = keepLog(this.#layout.database)
    this.#connection.close()
    this.#connection = undefined
  }

  #guarded<T>(work: () => T): T {
    if (this.#depth > 0) return work()
    this.#depth++
    try {
      try {
        return work()
      } catch (cause) {
        if (!isDamage(cause, this.#layout.database)) throw cause
        this.#replace()
        this.onReplaced()
        return work()
      }
    } catch (cause) {
      throw databaseFailure(`use ${this.#layout.database}`, cause, this.#layout.root)
    } finally {
      this.#depth--
    }
  }

  /** SQLite has rolled back by itself after some errors: then there is nothing to end. */
  #rollBack(): void {
    try {
      this.#connection?.exec('ROLLBACK')
    } catch (cause) {
      if (sqliteCodeOf(cause) !== SQLITE.error) throw cause
    }
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#open().prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #execute(sql: string): void {
    this.#open().exec(sql)
  }

  #open(): DatabaseSync {
    if (this.#connection !== undefined) return this.#connection
    const path = this.#layout.database
    this.#requireFiles()
    if (inodeOf(path) === undefined) this.#make()
    this.#inode = inodeOf(path)
    const connection = connect(path)
    try {
      connection.exec('PRAGMA synchronous = NORMAL')
      const version = Number(connection.prepare('PRAGMA user_version').get()?.user_version)
      if (version !== SCHEMA_VERSION) throw new DamagedError(`it has version ${version}`)
      connection.exec(LATER_TABLES)
    } catch (cause) {
      connection.close()
      throw cause
    }
    this.#connection = connection
    return connection
  }

  /** Made under another name, so that a half-made database is never opened. */
  #make(): void {
    const { database, databaseLock } = this.#layout
    using _ = lockSync(databaseLock)
    if (inodeOf(database) !== undefined) return
    const made = `${database}-new`
    // The log of a database that is gone would be taken for the new one's.
    for (const extension of EXTENSIONS) {
      for (const path of [made, database]) rmSync(path + extension, { force: true })
    }
    const connection = connect(made)
    try {
      connection.exec('PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL')
      connection.exec(`BEGIN; ${SCHEMA}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`)
    } finally {
      connection.close()
    }
    // Instead of SQLite's seven of what is not in use yet.
    syncFolder(made)
    renameSync(made, database)
  }

  /** A folder or a FIFO in the place of a file would fail in strange ways, or block for ever. */
  #requireFiles(): void {
    for (const extension of EXTENSIONS) {
      const found = lstatSync(this.#layout.database + extension, { throwIfNoEntry: false })
      if (found !== undefined && !found.isFile()) throw new DamagedError('it is not a file')
    }
  }

  /** Others that use the old file go on with it: SQLite notices that it has moved. */
  #replace(): void {
    const path = this.#layout.database
    const inode = this.#inode
    this[Symbol.dispose]()
    using _ = lockSync(this.#layout.databaseLock)
    // Another process has been here since this one opened the file.
    if (inode !== undefined && inodeOf(path) !== inode) return
    for (const extension of EXTENSIONS) {
      if (inodeOf(path + extension) !== undefined) setAside(this.#layout, path + extension)
    }
  }
}

class DamagedError extends Error {
  readonly errcode: number = SQLITE.corrupt
}

function connect(path: string): DatabaseSync {
  const connection = new DatabaseSync(path)
  // Nothing but the store need be writable: temporary files would go to /var/tmp or /tmp.
  connection.exec(`PRAGMA busy_timeout = ${BUSY_MILLISECONDS}; PRAGMA temp_store = MEMORY`)
  return connection
}

/**
 * Keeps SQLite from moving the log into the database when the last connection is closed, which waits for the
 * disk three times: until it is disposed, there is a connection that can only read, and its own end moves
 * nothing. `undefined` for a log that takes long to read when the database is opened.
 */
function keepLog(path: string): Disposable | undefined {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })
  if (log === undefined || log.size > MAX_LOG_BYTES) return undefined
  try {
    const reader = new DatabaseSync(path, { readOnly: true })
    reader.prepare('PRAGMA user_version').get()
    return { [Symbol.dispose]: () => reader.close() }
  } catch {
    // Damaged, or gone: then there is nothing to save.
    return undefined
  }
}

function inodeOf(path: string): bigint | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino
}

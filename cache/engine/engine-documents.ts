import { existsSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Json } from '#core'
import { databaseFailure, invalidStoreError, isDamage } from '../filesystem/failure.ts'
import type { Layout } from '../filesystem/layout.ts'

/** What documents are about. */
export type EngineKind = 'container' | 'network' | 'volume' | 'engine'

/** A document of the engine. */
export interface EngineDocument {
  readonly id: string
  readonly document: Json
  /** Digest of the image that must stay in the store as long as the document. */
  readonly image?: string | undefined
}

/** A row without `image` needs no image. */
const SCHEMA = `CREATE TABLE IF NOT EXISTS documents (
  kind TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, image TEXT,
  PRIMARY KEY (kind, id)) WITHOUT ROWID`

/**
 * What the engine keeps: containers, networks and volumes. Unlike the store's other database it holds what cannot be
 * made again, so a damaged file is never replaced, and what a call has written is on the disk when it returns.
 * One process writes at a time (the engine's lock); others may read.
 */
export class EngineDocuments implements Disposable {
  readonly #root: string
  readonly #path: string
  #connection: DatabaseSync | undefined
  readonly #statements = new Map<string, StatementSync>()

  constructor({ root, engineDatabase }: Layout) {
    this.#root = root
    this.#path = engineDatabase
  }

  /** Ordered by id. @throws {TsbuildError} STORE_INVALID */
  all(kind: EngineKind): readonly EngineDocument[] {
    const sql = 'SELECT id, document, image FROM documents WHERE kind = ? ORDER BY id'
    return this.#guarded(() =>
      this.#prepare(sql)
        .all(kind)
        .map(({ id, document, image }) => ({
          id: String(id),
          document: JSON.parse(String(document)) as Json,
          image: image === null ? undefined : String(image),
        })),
    )
  }

  /** Durable when it returns. @throws {TsbuildError} NO_SPACE, STORE_INVALID, IO_FAILED */
  put(kind: EngineKind, { id, document, image }: EngineDocument): void {
    const sql = 'INSERT OR REPLACE INTO documents (kind, id, document, image) VALUES (?, ?, ?, ?)'
    const text = JSON.stringify(document)
    this.#guarded(() => this.#prepare(sql).run(kind, id, text, image ?? null))
  }

  /** As `put`, but what it has written outlives this process only, and not the power. @throws as `put` */
  note(kind: EngineKind, document: EngineDocument): void {
    this.#guarded(() => this.#open().exec('PRAGMA synchronous = NORMAL'))
    try {
      this.put(kind, document)
    } finally {
      this.#guarded(() => this.#open().exec('PRAGMA synchronous = FULL'))
    }
  }

  /** Durable when it returns; nothing happens where there is none. @throws as `put` */
  delete(kind: EngineKind, id: string): void {
    const sql = 'DELETE FROM documents WHERE kind = ? AND id = ?'
    this.#guarded(() => this.#prepare(sql).run(kind, id))
  }

  /** Digests of the images that documents need. */
  images(): readonly string[] {
    if (this.#connection === undefined && !existsSync(this.#path)) return []
    const sql = 'SELECT DISTINCT image FROM documents WHERE image IS NOT NULL'
    return this.#guarded(() =>
      this.#prepare(sql)
        .all()
        .map(({ image }) => String(image)),
    )
  }

  [Symbol.dispose](): void {
    this.#statements.clear()
    this.#connection?.close()
    this.#connection = undefined
  }

  #guarded<T>(work: () => T): T {
    try {
      return work()
    } catch (cause) {
      if (isDamage(cause, this.#path)) {
        const doing =
          'restore it, or move it away: containers, networks and volumes are then unknown'
        throw invalidStoreError(`${this.#path} is damaged; ${doing}`, cause)
      }
      throw databaseFailure(`use ${this.#path}`, cause, this.#root)
    }
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#open().prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #open(): DatabaseSync {
    if (this.#connection !== undefined) return this.#connection
    const connection = new DatabaseSync(this.#path)
    connection.exec(
      'PRAGMA busy_timeout = 20000; PRAGMA temp_store = MEMORY; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL',
    )
    connection.exec(SCHEMA)
    this.#connection = connection
    return connection
  }
}

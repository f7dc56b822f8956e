import { lstatSync, readdirSync, rmSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import {
  type Descriptor,
  type DiffId,
  type Digest,
  hexOf,
  isDigest,
  ownersFileOf,
  uncompressedDigest,
} from '#core'
import { readTrailer } from '../blobs/parted-blob.ts'
import { namesIn } from '../filesystem/best-effort.ts'
import { folderKind } from '../filesystem/folder-kind.ts'
import { type Layout, layoutOf } from '../filesystem/layout.ts'
import { Presence } from '../filesystem/presence.ts'
import { setAside } from '../filesystem/replace-file.ts'
import { type CacheRecord, forgetRecord, toRecord } from '../records/cache-records.ts'
import { Database, type Row } from '../records/database.ts'
import { baseOfDifferences } from '../records/differences.ts'
import { isLayerId, type LayerId } from '../records/layer-id.ts'
import { CURRENT_ID, type LayerRecord } from '../records/layer-record.ts'
import type { Store } from '../store.ts'

/** A thing that is named as a blob is. */
export interface FoundBlob {
  readonly digest: Digest
  readonly path: string
  readonly found: Stats
  /** Of one that is kept in parts: the blob that it has parts of, or would have if that was there. */
  readonly earlier: string | undefined
}

/** A compressed blob, and the layer that the database says it holds. */
export interface ClaimedBlob {
  readonly diffId: DiffId
  readonly blob: Descriptor
}

/** A row whose checksum does not fit. */
export interface DamagedRow {
  readonly table: RowTable
  readonly key: string
  /** Removes it. */
  forget(): void
}

/** The tables whose rows have a checksum. */
export type RowTable = 'records' | 'layers' | 'compressed' | 'differences' | 'seals' | 'presumed'

/** Rows that are read at a time. */
const PAGE = 1000

/** Everything that a store has, in lists, and how damaged parts are taken out of it. */
export class StoreAudit implements AsyncDisposable {
  readonly store: Store
  readonly layout: Layout
  readonly presence: Presence
  readonly database: Database

  constructor(store: Store) {
    this.store = store
    this.layout = layoutOf(store.root)
    this.presence = new Presence(this.layout)
    this.database = new Database(this.layout)
  }

  /** What lies in the folder of the blobs, or of their parts, under the name of one. */
  *blobs(): Generator<FoundBlob> {
    const { blobs, parts } = this.layout
    for (const name of readdirSync(blobs)) {
      const digest = `sha256:${name}`
      const path = join(blobs, name)
      const found = lstatSync(path, { throwIfNoEntry: false })
      if (found !== undefined && isDigest(digest)) yield { digest, path, found, earlier: undefined }
    }
    for (const name of namesIn(parts)) {
      const digest = `sha256:${name}`
      const path = join(parts, name)
      const found = lstatSync(path, { throwIfNoEntry: false })
      if (found === undefined || !isDigest(digest) || this.isFile(digest)) continue
      const trailer = found.isFile() ? readTrailer(path) : undefined
      const isKnown = trailer !== undefined && trailer !== 'damaged'
      const earlier = isKnown ? this.store.blobs.path(trailer.earlier) : path
      yield { digest, path, found, earlier }
    }
  }

  /** Whether something lies in the place of a blob or of its parts. */
  isThere(digest: Digest): boolean {
    return this.isFile(digest) || isAt(join(this.layout.parts, hexOf(digest)))
  }

  /** Whether something lies in the place of a blob. */
  isFile(digest: Digest): boolean {
    return isAt(this.store.blobs.path(digest))
  }

  /** The layers that the database knows, without those whose row is damaged. */
  *layers(): Generator<LayerRecord> {
    for (const { id } of this.#pages('SELECT id FROM layers', 'id')) {
      const layer = isLayerId(id) ? this.store.layers.get(id) : undefined
      if (layer !== undefined) yield layer
    }
  }

  /** The results of steps, without those whose row is damaged. */
  *records(): Generator<CacheRecord> {
    for (const row of this.#pages('SELECT * FROM records', 'key')) {
      const record = toRecord(row, () => undefined)
      if (record !== undefined) yield record
    }
  }

  forgetRecords(records: readonly CacheRecord[]): void {
    this.database.transaction(() => {
      for (const { key } of records) forgetRecord(this.database, key)
    })
  }

  /** Which compressed blobs hold which layer, as the database says. */
  *claims(): Generator<ClaimedBlob> {
    for (const { diff_id: id } of this.#pages(COMPRESSED_LAYERS, 'diff_id')) {
      const diffId = String(id) as DiffId
      for (const blob of this.store.layers.compressed(diffId)) yield { diffId, blob }
    }
  }

  /** The blobs that hold a layer, as far as the database knows; they need not be there. */
  formsOf(diffId: DiffId | undefined): readonly Digest[] {
    if (diffId === undefined) return []
    const compressed = this.store.layers.compressed(diffId)
    return [uncompressedDigest(diffId), ...compressed.map(({ digest }) => digest)]
  }

  /** Forgets that a blob holds a layer. */
  forgetClaim(diffId: DiffId, digest: Digest): void {
    for (const table of ['compressed', 'packings', 'annotations']) {
      this.database.run(`DELETE FROM ${table} WHERE diff_id = ? AND digest = ?`, diffId, digest)
    }
  }

  /** Rows that all readers take for missing, because their checksum does not fit. */
  *damagedRows(): Generator<DamagedRow> {
    const { layers } = this.store
    const remove = (table: RowTable, column: string) => (row: Row) => {
      const key = String(row[column])
      const sql = `DELETE FROM ${table} WHERE ${column} = ?`
      return { table, key, forget: () => void this.database.run(sql, key) }
    }
    const all = (table: RowTable, column: string, isSound: (row: Row) => boolean) =>
      this.#pages(`SELECT * FROM ${table}`, column)
        .filter((row) => !isSound(row))
        .map(remove(table, column))
    const idOf = (row: Row) => String(row.id) as LayerId
    const diffIdOf = (row: Row) => String(row.diff_id) as DiffId
    yield* all('records', 'key', (row) => toRecord(row, () => undefined) !== undefined)
    yield* all('layers', 'id', (row) => layers.get(idOf(row)) !== undefined)
    yield* all(
      'differences',
      'id',
      (row) => baseOfDifferences(this.database, idOf(row)) !== undefined,
    )
    yield* all('seals', 'id', (row) => layers.seal(idOf(row)) !== undefined)
    yield* all('presumed', 'diff_id', (row) => layers.presumed(diffIdOf(row)) !== undefined)
    for (const row of this.#pages(COMPRESSED_LAYERS, 'diff_id')) {
      const sound = new Set<unknown>(layers.compressed(diffIdOf(row)).map(({ digest }) => digest))
      const sql = 'SELECT digest FROM compressed WHERE diff_id = ?'
      for (const { digest } of this.database.all(sql, diffIdOf(row))) {
        if (sound.has(digest)) continue
        const forget = (): void => this.forgetClaim(diffIdOf(row), String(digest) as Digest)
        yield { table: 'compressed', key: String(digest), forget }
      }
    }
  }

  /**
   * Moves the folder of a layer to `corrupt/`, where a step that uses it at this moment can go on with it.
   * Without another form of the layer it is forgotten, so that the next build makes it.
   */
  setLayerAside({ id, diffId }: LayerRecord): void {
    const { layers, blobs } = this.store
    const directory = layers.directory(id)
    const isKept = this.formsOf(diffId).some((digest) => blobs.stat(digest) !== undefined)
    this.database.durably(() => {
      const { bit } = folderKind()
      this.database.run('DELETE FROM differences WHERE id = ?', id)
      this.database.run(`DELETE FROM seals WHERE id = ${CURRENT_ID}`, id, id)
      this.database.run(
        `UPDATE layers SET directory = directory & ~? WHERE id = ${CURRENT_ID}`,
        ...[bit, id, id],
      )
      this.database.run(
        `UPDATE renamed SET holds = holds & ~? WHERE id = ${CURRENT_ID}`,
        bit,
        id,
        id,
      )
      if (!isKept) this.database.run(`DELETE FROM layers WHERE id = ${CURRENT_ID}`, id, id)
    })
    setAside(this.layout, directory)
    rmSync(ownersFileOf(directory), { force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.database[Symbol.dispose]()
    await this.presence.discarded()
    await this.presence[Symbol.asyncDispose]()
  }

  /** The rows of a query without a condition, by a column that is text and unique among them. */
  *#pages(select: string, column: string): Generator<Row> {
    const sql = `${select} WHERE ${column} > ? ORDER BY ${column} LIMIT ${PAGE}`
    for (let last = ''; ; ) {
      const rows = this.database.all(sql, last)
      yield* rows
      const end = rows.at(-1)?.[column]
      if (rows.length < PAGE || typeof end !== 'string') return
      last = end
    }
  }
}

function isAt(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

const COMPRESSED_LAYERS = 'SELECT DISTINCT diff_id FROM compressed'

/** Opens the lists of a store, which stay open until they are disposed of; the store stays the caller's. */
export function auditStore(store: Store): StoreAudit {
  return new StoreAudit(store)
}

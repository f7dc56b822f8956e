import { canonicalJson, type Json, TsbuildError } from '#core'
import type { CacheKey } from './cache-key.ts'
import type { Database, Row } from './database.ts'
import { type LayerId, type Layers, layerId } from './layers.ts'
import { sumOf } from './schema.ts'

/** What a step has made, and what went into its key. */
export interface CacheRecord {
  /** The key that the record was put under, also when it was found by an alias. */
  readonly key: CacheKey
  /** The document that the key is the digest of: it explains a hit and a miss. */
  readonly preimage: Json
  /** `undefined` when the step changed no file. */
  readonly layer: LayerId | undefined
  /** The step as a person reads it. */
  readonly description: string
  readonly createdAt: Date
  /** To the hour. */
  readonly lastUsedAt: Date
}

export interface NewCacheRecord
  extends Pick<CacheRecord, 'key' | 'preimage' | 'layer' | 'description'> {
  /** Key of the step without its content: equal for every version of the same step. */
  readonly family: CacheKey
}

/** Finer would mean a write for every look-up. */
const USE_MILLISECONDS = 3_600_000

const FIND = 'SELECT * FROM records WHERE key = ?'
const FIND_ALIAS =
  'SELECT records.* FROM aliases JOIN records ON records.key = aliases.key WHERE alias = ?'

/** The results of steps, by key. All calls are synchronous and take some 20 µs. */
export class CacheRecords {
  readonly #database: Database
  readonly #layers: Layers
  readonly #used = new Set<CacheKey>()

  constructor(database: Database, layers: Layers) {
    this.#database = database
    this.#layers = layers
  }

  /** The record of `key`, or of the key that it is an alias of. One whose layer is lost is dropped. */
  find(key: CacheKey): CacheRecord | undefined {
    const row = this.#database.get(FIND, key) ?? this.#database.get(FIND_ALIAS, key)
    if (row === undefined) return undefined
    const record = toRecord(row)
    if (record === undefined || (record.layer && !this.#layers.isPresent(record.layer))) {
      this.#database.run('DELETE FROM records WHERE key = ?', String(row.key))
      return undefined
    }
    const age = Math.abs(Date.now() - record.lastUsedAt.getTime())
    if (age > USE_MILLISECONDS) this.#used.add(record.key)
    return record
  }

  /** The records of every version of a step, the newest first; those whose layer is lost are left out. */
  ofFamily(family: CacheKey): readonly CacheRecord[] {
    const sql = 'SELECT * FROM records WHERE family = ? ORDER BY created DESC, key'
    const records = this.#database.all(sql, family).flatMap((row) => toRecord(row) ?? [])
    return records.filter(({ layer }) => layer === undefined || this.#layers.isPresent(layer))
  }

  /** Stores a result; it takes the place of an older one under the same key. */
  put(record: NewCacheRecord): void {
    const { key, family, description } = record
    const layer = record.layer ?? null
    const preimage = canonicalJson(record.preimage)
    const now = Date.now()
    const sum = sumOf(key, layer, description, preimage, now)
    this.#database.transaction(() => {
      this.#database.run('DELETE FROM aliases WHERE alias = ?', key)
      this.#database.run(
        `INSERT OR REPLACE INTO records
         (key, family, layer, description, preimage, created, used, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[key, family, layer, description, preimage, now, now, sum],
      )
    })
  }

  /** Makes `key` find the record of `target`, unless it has a record of its own. */
  alias(key: CacheKey, target: CacheKey): void {
    if (key === target) return
    this.#database.run(
      `INSERT OR REPLACE INTO aliases (alias, key)
       VALUES (?, coalesce((SELECT key FROM aliases WHERE alias = ?), ?))`,
      ...[key, target, target],
    )
  }

  /** True when any version of the step has a record. */
  hasFamily(family: CacheKey): boolean {
    const sql = 'SELECT 1 AS found FROM records WHERE family = ? LIMIT 1'
    return this.#database.get(sql, family) !== undefined
  }

  /** Writes down which records were used. */
  flush(): void {
    if (this.#used.size === 0) return
    const now = Date.now()
    try {
      this.#database.transaction(() => {
        for (const key of this.#used) {
          this.#database.run('UPDATE records SET used = ? WHERE key = ?', now, key)
        }
      })
      this.#used.clear()
    } catch (cause) {
      // A full disk: the record is as good as before.
      if (!(cause instanceof TsbuildError) || cause.code !== 'NO_SPACE') throw cause
    }
  }
}

function toRecord(row: Row): CacheRecord | undefined {
  const { key, layer, description, preimage, created, used, sum } = row
  if (typeof key !== 'string' || typeof description !== 'string') return undefined
  if (typeof preimage !== 'string' || typeof created !== 'number') return undefined
  const layerText = typeof layer === 'string' ? layer : null
  if (sum !== sumOf(key, layerText, description, preimage, created)) return undefined
  return {
    key: key as CacheKey,
    preimage: JSON.parse(preimage) as Json,
    layer: layerText === null ? undefined : layerId(layerText),
    description,
    createdAt: new Date(created),
    lastUsedAt: new Date(typeof used === 'number' ? used : created),
  }
}

import { canonicalJson, type Json } from '#core'
import { isNoSpace } from '../filesystem/failure.ts'
import type { CacheKey } from './cache-key.ts'
import type { Database, Row } from './database.ts'
import { isLayerId, type LayerId, layerId } from './layer-id.ts'
import type { Layers } from './layers.ts'
import { sumOf } from './schema.ts'

/** What a step has made, and what went into its key. */
export interface CacheRecord {
  /** The key that the record was put under, also when it was found by a linked one. */
  readonly key: CacheKey
  /** The document that the key is the digest of: it explains a hit and a miss. */
  readonly preimage: Json
  /** Key of the step without its content: equal for every version of the same step. */
  readonly family: CacheKey
  /**
   * Keys of the results that the step was done on; empty where they were not recorded. Of a record that
   * was found they are read when they are asked for: looking results up takes a third less without them.
   */
  readonly inputs: readonly CacheKey[]
  /** `undefined` when the step changed no file. */
  readonly layer: LayerId | undefined
  /** The step as a person reads it. */
  readonly description: string
  readonly createdAt: Date
  /** To the hour. */
  readonly lastUsedAt: Date
}

/** A record that is to be stored. */
export interface NewCacheRecord
  extends Pick<CacheRecord, 'key' | 'preimage' | 'family' | 'layer' | 'description'> {
  /** Default: none. */
  readonly inputs?: readonly CacheKey[]
  /** Of the last RUN that the layer lies on. */
  readonly below?: CacheKey | undefined
  /** That the step took. Default: not known. */
  readonly milliseconds?: number | undefined
  /** Default: now. */
  readonly createdAt?: Date
}

/** Finer would mean a write for every look-up. */
const USE_MILLISECONDS = 3_600_000

/** Parameters: the place of the key, the key. One walk down a tree of integers, where two of texts would be read. */
const FIND = 'SELECT * FROM records WHERE rowid = ? AND +key = ?'
/** One that an earlier tsbuild has put, which gave rows their places in turn. */
const FIND_ANYWHERE = 'SELECT * FROM records WHERE key = ?'
const FIND_LINKED = `SELECT records.* FROM aliases JOIN records ON records.key = aliases.key
  WHERE alias = ?`
const INPUTS = 'SELECT inputs, sum AS inputs_sum FROM inputs WHERE key = ?'
const NEWEST_OF_FAMILY = `SELECT * FROM records WHERE family = ?
  AND created < ? ORDER BY created DESC, key LIMIT 1`
const OF_FAMILY = `SELECT records.*, inputs.inputs, inputs.sum AS inputs_sum
  FROM records LEFT JOIN inputs USING (key) WHERE family = ? ORDER BY created DESC, records.key`

const LAYERS_OF_FAMILY = `SELECT layer FROM records WHERE family = ? AND layer IS NOT NULL
  ORDER BY created DESC LIMIT ?`

/** The results of steps, by key. All calls are synchronous and take some 20 µs. */
export class CacheRecords {
  readonly #database: Database
  readonly #layers: Layers
  readonly #used = new Set<CacheKey>()

  constructor(database: Database, layers: Layers) {
    this.#database = database
    this.#layers = layers
  }

  /** The record of `key`, or of the key that it is linked to. One without its layer is dropped. */
  find(key: CacheKey): CacheRecord | undefined {
    const row = this.#rowOf(key)
    if (row === undefined) return undefined
    const record = this.#recordOf(row)
    if (record === undefined || (record.layer && !this.#layers.isPresent(record.layer))) {
      forgetRecord(this.#database, String(row.key))
      return undefined
    }
    const age = Math.abs(Date.now() - record.lastUsedAt.getTime())
    if (age > USE_MILLISECONDS) this.#used.add(record.key)
    return record
  }

  /** As `find`, but the record is left as it is, whether or not its layer is there. */
  peek(key: CacheKey): CacheRecord | undefined {
    const row = this.#rowOf(key)
    return row && this.#recordOf(row)
  }

  #rowOf(key: CacheKey): Row | undefined {
    return (
      this.#database.get(FIND, placeOf(key), key) ??
      this.#database.get(FIND_ANYWHERE, key) ??
      this.#database.get(FIND_LINKED, key)
    )
  }

  #recordOf(row: Row): CacheRecord | undefined {
    return toRecord(row, (key) => this.#database.get(INPUTS, key))
  }

  /** The newest version of a step that was made before a time, whether or not its layer is there. */
  newestOfFamily(family: CacheKey, before: Date): CacheRecord | undefined {
    const row = this.#database.get(NEWEST_OF_FAMILY, family, before.getTime())
    return row && this.#recordOf(row)
  }

  /** The records of every version of a step, the newest first, without those whose layer is missing. */
  ofFamily(family: CacheKey): readonly CacheRecord[] {
    const rows = this.#database.all(OF_FAMILY, family)
    const records = rows.flatMap((row) => toRecord(row, () => row) ?? [])
    return records.filter(({ layer }) => layer === undefined || this.#layers.isPresent(layer))
  }

  /** The layers of the newest records of a step's versions, at most `most`. */
  layersOfFamily(family: CacheKey, most: number): readonly LayerId[] {
    const rows = this.#database.all(LAYERS_OF_FAMILY, family, most)
    return rows.flatMap(({ layer }) => (isLayerId(layer) ? [layer] : []))
  }

  /** Stores a result; it replaces an older one under the same key. */
  put(record: NewCacheRecord): void {
    const { key, family, description, inputs = [], createdAt = new Date() } = record
    const layer = record.layer ?? null
    const preimage = canonicalJson(record.preimage)
    const created = createdAt.getTime()
    const sum = sumOf(key, layer, description, preimage, created)
    const inputList = JSON.stringify(inputs)
    this.#database.transaction(() => {
      this.#database.run('DELETE FROM aliases WHERE alias = ?', key)
      this.#database.run(
        `INSERT OR REPLACE INTO records
         (rowid, key, family, layer, description, preimage, created, used, sum)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[placeOf(key), key, family, layer, description, preimage, created, Date.now(), sum],
      )
      this.#database.run(
        'INSERT OR REPLACE INTO inputs (key, inputs, sum) VALUES (?, ?, ?)',
        ...[key, inputList, sumOf(key, inputList, created)],
      )
      if (record.milliseconds !== undefined) this.#putMade(record, record.milliseconds)
    })
  }

  #putMade({ key, below }: NewCacheRecord, milliseconds: number): void {
    this.#database.run(
      'INSERT OR REPLACE INTO made (key, milliseconds, below) VALUES (?, ?, ?)',
      ...[key, Math.round(milliseconds), below ?? null],
    )
  }

  /** Makes `key` find the record of `target`, unless it has a record itself. */
  link(key: CacheKey, target: CacheKey): void {
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

  /** Stores which records were used. */
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
      if (!isNoSpace(cause)) throw cause
    }
  }
}

/** The number of a record's row: 52 bits of its key. Of two with the same number, the later one is kept. */
function placeOf(key: CacheKey): bigint {
  return BigInt(`0x${key.slice(0, 13)}`)
}

/** Removes a record with its inputs. */
export function forgetRecord(database: Database, key: string): void {
  for (const table of ['records', 'inputs']) {
    database.run(`DELETE FROM ${table} WHERE key = ?`, key)
  }
}

/**
 * A row of the records; `undefined` when it is damaged.
 * @param inputsOf the row with the inputs of a key, and their checksum
 */
export function toRecord(
  row: Row,
  inputsOf: (key: string) => Row | undefined,
): CacheRecord | undefined {
  const { key, family, layer, description, preimage, created, used, sum } = row
  if (typeof key !== 'string' || typeof family !== 'string') return undefined
  if (typeof description !== 'string') return undefined
  if (typeof preimage !== 'string' || typeof created !== 'number') return undefined
  const layerText = typeof layer === 'string' ? layer : null
  if (sum !== sumOf(key, layerText, description, preimage, created)) return undefined
  return {
    key: key as CacheKey,
    preimage: JSON.parse(preimage) as Json,
    family: family as CacheKey,
    get inputs() {
      return toInputs(key, created, inputsOf(key))
    },
    layer: layerText === null ? undefined : layerId(layerText),
    description,
    createdAt: new Date(created),
    lastUsedAt: new Date(typeof used === 'number' ? used : created),
  }
}

/** None for a record that an older tsbuild has put: its time does not fit the checksum. */
function toInputs(key: string, created: number, row: Row | undefined): readonly CacheKey[] {
  const { inputs, inputs_sum: sum } = row ?? {}
  if (typeof inputs !== 'string' || sum !== sumOf(key, inputs, created)) return []
  return JSON.parse(inputs) as readonly CacheKey[]
}

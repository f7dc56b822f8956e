import { canonicalJson, type Json } from '#core'
import type { Database, Row } from './database.ts'
import { sumOf } from './schema.ts'

/** What a build did, as it is remembered after the build. */
export interface BuildTrace {
  /** A later build of this store has a greater one. */
  readonly id: number
  /** The context: the absolute path of a folder, or an address without credentials. */
  readonly context: string
  /** The Dockerfile: an absolute path, or what messages call it. */
  readonly dockerfile: string
  readonly createdAt: Date
  readonly document: Json
}

/** A trace that is to be stored. */
export type NewBuildTrace = Omit<BuildTrace, 'id'>

/** Which traces are looked for; what is absent does not matter. */
export interface TraceQuery {
  readonly context?: string | undefined
  readonly dockerfile?: string | undefined
  /** Only those of builds before the one of this id. */
  readonly before?: number | undefined
  readonly limit: number
}

/** Traces that are kept of one Dockerfile with one context, and of all. */
const MOST_OF_ONE = 4
const MOST = 128
/** Characters. That of a build with 1,000 steps has some 200,000. */
const MOST_TEXT = 1 << 20

const FIND = `SELECT * FROM traces
  WHERE context = coalesce(?, context) AND dockerfile = coalesce(?, dockerfile) AND id < ?
  ORDER BY id DESC LIMIT ?`
const INSERT = `INSERT INTO traces (context, dockerfile, created, document, sum)
  VALUES (?, ?, ?, ?, ?) RETURNING id`
const DROP_OLD = 'DELETE FROM traces WHERE id <= ?'
const DROP_OLD_OF_ONE = `DELETE FROM traces WHERE id IN (SELECT id FROM traces
  WHERE context = ? AND dockerfile = ? ORDER BY id DESC LIMIT -1 OFFSET ?)`

/** What the latest builds did, newest first: the last four of each Dockerfile, and no more than 128. */
export class BuildTraces {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Stores a trace and drops old ones. Like a record it may be lost with the power.
   * @returns `undefined` for one that is too large to be kept
   */
  put(trace: NewBuildTrace): BuildTrace | undefined {
    const { context, dockerfile } = trace
    const document = canonicalJson(trace.document)
    if (document.length > MOST_TEXT) return undefined
    const created = trace.createdAt.getTime()
    const sum = sumOf(context, dockerfile, created, document)
    return this.#database.transaction(() => {
      const row = this.#database.get(INSERT, context, dockerfile, created, document, sum)
      const id = Number(row?.id)
      this.#database.run(DROP_OLD, id - MOST)
      this.#database.run(DROP_OLD_OF_ONE, context, dockerfile, MOST_OF_ONE)
      return { ...trace, id }
    })
  }

  /** The newest first; a damaged one is left out. */
  find({ context, dockerfile, before, limit }: TraceQuery): readonly BuildTrace[] {
    const values = [context ?? null, dockerfile ?? null, before ?? Number.MAX_SAFE_INTEGER, limit]
    return this.#database.all(FIND, ...values).flatMap((row) => toTrace(row) ?? [])
  }
}

function toTrace({ id, context, dockerfile, created, document, sum }: Row): BuildTrace | undefined {
  if (typeof context !== 'string' || typeof dockerfile !== 'string') return undefined
  if (typeof created !== 'number' || typeof document !== 'string') return undefined
  if (sum !== sumOf(context, dockerfile, created, document)) return undefined
  const createdAt = new Date(created)
  return { id: Number(id), context, dockerfile, createdAt, document: JSON.parse(document) as Json }
}

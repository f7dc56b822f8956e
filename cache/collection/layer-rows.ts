import { join } from 'node:path'
import { ownersFileOf } from '#core'
import { FOLDER_KINDS } from '../filesystem/folder-kind.ts'
import { type Layout, layersFolder } from '../filesystem/layout.ts'
import type { Database } from '../records/database.ts'
import { hexIn } from './documents.ts'

/** A layer as the database has it. */
export interface LayerRow {
  readonly id: string
  /** Hex digits. */
  readonly diffId: string | undefined
  /** Bytes of its tar. */
  readonly size: number | undefined
  /** Bits of the kinds of folders that it has. */
  readonly kinds: number
  /** Earlier ids, each with the bits of the kinds whose folder has this name. */
  readonly earlier: readonly { readonly name: string; readonly kinds: number }[]
  /** Hex digits of the compressed blobs that hold it, whether or not they are in the store. */
  readonly compressed: readonly string[]
  /** Those of them that were packed here. */
  readonly packed: readonly string[]
  /** Id of the layer whose folder has what its own does not. */
  readonly differsFrom: string | undefined
  readonly records: readonly RecordRow[]
}

/** The result of a step. */
export interface RecordRow {
  readonly key: string
  readonly description: string
  /** Milliseconds since the epoch, like `used`. */
  readonly created: number
  readonly used: number
  /** Key of the last RUN that it lies on. */
  readonly below: string | undefined
  /** That the step took. */
  readonly milliseconds: number | undefined
}

const RECORDS = `SELECT records.key, description, created, used, below, milliseconds,
  coalesce(renamed.id, records.layer) AS layer
  FROM records LEFT JOIN made ON made.key = records.key
  LEFT JOIN renamed ON renamed.name = records.layer`

/** Everything that the database knows of layers. */
export function readLayerRows(database: Database): readonly LayerRow[] {
  const records = Map.groupBy(database.all(RECORDS), ({ layer }) => String(layer))
  const renamed = Map.groupBy(database.all('SELECT * FROM renamed'), ({ id }) => String(id))
  const compressed = Map.groupBy(database.all('SELECT diff_id, digest FROM compressed'), (row) =>
    String(row.diff_id),
  )
  const packed = Map.groupBy(database.all('SELECT diff_id, digest FROM packings'), (row) =>
    String(row.diff_id),
  )
  const bases = new Map(
    database.all('SELECT id, base FROM differences').map(({ id, base }) => [id, String(base)]),
  )
  return database.all('SELECT * FROM layers').map((row): LayerRow => {
    const id = String(row.id)
    const diffId = typeof row.diff_id === 'string' ? row.diff_id : undefined
    return {
      id,
      diffId: diffId && hexIn(diffId),
      size: typeof row.size === 'number' ? row.size : undefined,
      kinds: Number(row.directory),
      earlier: (renamed.get(id) ?? []).map(({ name, holds }) => ({
        name: String(name),
        kinds: Number(holds),
      })),
      compressed: (compressed.get(diffId ?? '') ?? []).map(({ digest }) => hexIn(String(digest))),
      packed: (packed.get(diffId ?? '') ?? []).map(({ digest }) => hexIn(String(digest))),
      differsFrom: bases.get(id),
      records: (records.get(id) ?? []).map((record) => ({
        key: String(record.key),
        description: String(record.description),
        created: Number(record.created),
        used: Number(record.used),
        below: typeof record.below === 'string' ? record.below : undefined,
        milliseconds: typeof record.milliseconds === 'number' ? record.milliseconds : undefined,
      })),
    }
  })
}

/** Hex digits of the blobs that hold a layer; they need not be in the store. */
export function blobsOfLayer({ diffId, compressed }: LayerRow): readonly string[] {
  return diffId === undefined ? compressed : [diffId, ...compressed]
}

/** The folders of a layer, of all kinds, and the files beside them. They need not be there. */
export function filesOfLayer(layout: Layout, { id, kinds, earlier }: LayerRow): readonly string[] {
  return FOLDER_KINDS.filter(({ bit }) => (kinds & bit) !== 0).flatMap((kind) => {
    const name = earlier.find((one) => (one.kinds & kind.bit) !== 0)?.name ?? id
    const folder = join(layersFolder(layout.root, kind), name)
    return [folder, ownersFileOf(folder)]
  })
}

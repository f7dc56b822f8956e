import { lstatSync } from 'node:fs'
import { type DiffId, type OwnedFiles, parseDiffId } from '#core'
import { FOLDER_KINDS, type FolderKind, folderKind } from '../filesystem/folder-kind.ts'
import type { Row } from './database.ts'
import { isLayerId, type LayerId, layerId } from './layer-id.ts'
import { sumOf } from './schema.ts'

/** What the store knows of a layer. */
export interface LayerRecord {
  readonly id: LayerId
  readonly diffId?: DiffId
  /** Bytes of the uncompressed tar. */
  readonly size?: number
  /** True when the layer exists as a folder in overlay form, of the kind that this process uses. */
  readonly directory: boolean
  /** Its folders of other kinds. */
  readonly elsewhere?: readonly string[]
}

/** What is known of a layer's uncompressed tar. */
export interface TarFacts {
  readonly diffId: DiffId
  /** Bytes. */
  readonly size: number
  /** Files whose owners are presumed: see `FileStat`. */
  readonly presumed?: OwnedFiles | undefined
}

/** What is known of a layer when its folder is committed. */
export interface LayerFacts extends Partial<Omit<TarFacts, 'presumed'>> {
  readonly id?: LayerId
}

/** A layer's row and the name of its folder, where that is not the id. */
const COLUMNS = 'layers.*, renamed.name AS folder'
const LAYERS = 'layers LEFT JOIN renamed ON renamed.id = layers.id AND renamed.holds = 1'
/** The id that an id leads to: its own, or that of the layer which had it. Parameters: the id, twice. */
export const CURRENT_ID: string = 'coalesce((SELECT id FROM renamed WHERE name = ?), ?)'

/** Parameters: the id, twice. */
export const GET: string = `SELECT ${COLUMNS} FROM ${LAYERS} WHERE layers.id = ${CURRENT_ID}`
/** Parameter: the diffID. */
export const FIND_BY_DIFF_ID: string = `SELECT ${COLUMNS} FROM ${LAYERS} WHERE diff_id = ?
  ORDER BY directory DESC, layers.id`
/** The name of a layer's folder. Parameters: the id, twice. */
export const FOLDER_NAME: string = `SELECT coalesce(renamed.name, current.id) AS folder
  FROM (SELECT ${CURRENT_ID} AS id) AS current
  LEFT JOIN renamed ON renamed.id = current.id AND renamed.holds = 1`
/** The layers that have a folder of a kind. Parameter: its bit. */
export const ALL_WITH_FOLDER: string = `SELECT ${COLUMNS} FROM ${LAYERS} WHERE directory & ?`

/** A row as `GET` selects it; `undefined` when it is damaged. `path`: of a folder of that name. */
export function toLayerRecord(row: Row, path: FolderPath): LayerRecord | undefined {
  const { id, diff_id: diffId, size, directory, sum, folder } = row
  if (typeof id !== 'string' || sum !== sumOf(id, textOrNull(diffId), numberOrNull(size))) {
    return undefined
  }
  // A damaged name of the folder: then the layer has none, and is made again.
  const name = isLayerId(folder) ? folder : layerId(id)
  return {
    id: layerId(id),
    ...(typeof diffId === 'string' ? { diffId: parseDiffId(diffId) } : {}),
    ...(typeof size === 'number' ? { size } : {}),
    ...folders(Number(directory), (kind) => path(name, kind)),
  }
}

/** Where a layer's folder of a kind is. */
type FolderPath = (folder: LayerId, kind: FolderKind) => string

function folders(
  bits: number,
  path: (kind: FolderKind) => string,
): Pick<LayerRecord, 'directory' | 'elsewhere'> {
  const own = folderKind()
  const directory =
    (bits & own.bit) !== 0 &&
    lstatSync(path(own), { throwIfNoEntry: false })?.isDirectory() === true
  if ((bits & ~own.bit) === 0) return { directory }
  const others = FOLDER_KINDS.filter((kind) => kind !== own && (bits & kind.bit) !== 0)
  return { directory, elsewhere: others.map(path) }
}

function textOrNull(value: Row[string] | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function numberOrNull(value: Row[string] | undefined): number | null {
  return typeof value === 'number' ? value : null
}

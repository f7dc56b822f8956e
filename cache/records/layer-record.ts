import { lstatSync } from 'node:fs'
import { type DiffId, type OwnedFiles, parseDiffId } from '#core'
import { FOLDER_KINDS, type FolderKind, folderKind } from '../filesystem/folder-kind.ts'
import type { Row } from './database.ts'
import { isDifferencesId, isLayerId, type LayerId } from './layer-id.ts'
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
  /**
   * The layer whose folder has what this one's does not: on top of that it is the whole layer. Both exist, and
   * `directory` is false.
   */
  readonly differsFrom?: LayerId
}

/** True for a layer that can be had from folders: its own, or that and the one it differs from. */
export function hasFolder({ directory, differsFrom }: LayerRecord): boolean {
  return directory || differsFrom !== undefined
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

/** A layer's row and the name of its folder of one kind, where that is not the id. */
const COLUMNS = 'layers.*, renamed.name AS folder'
const LAYERS = 'layers LEFT JOIN renamed ON renamed.id = layers.id AND (renamed.holds & ?)'
/** The id that an id leads to: its own, or that of the layer which had it. Parameters: the id, twice. */
export const CURRENT_ID: string = 'coalesce((SELECT id FROM renamed WHERE name = ?), ?)'

/** Parameters: the bit of the kind, the id, twice. */
export const GET: string = `SELECT ${COLUMNS} FROM ${LAYERS} WHERE layers.id = ${CURRENT_ID}`
/** Parameters: the bit of the kind, the diffID. */
export const FIND_BY_DIFF_ID: string = `SELECT ${COLUMNS} FROM ${LAYERS} WHERE diff_id = ?
  ORDER BY directory DESC, layers.id`
/** The name of a layer's folder. Parameters: the id, twice, the bit of the kind. */
export const FOLDER_NAME: string = `SELECT coalesce(renamed.name, current.id) AS folder
  FROM (SELECT ${CURRENT_ID} AS id) AS current
  LEFT JOIN renamed ON renamed.id = current.id AND (renamed.holds & ?)`
/** The layers that have a folder of a kind. Parameter: its bit, twice. */
export const ALL_WITH_FOLDER: string = `SELECT ${COLUMNS} FROM ${LAYERS} WHERE directory & ?`

/**
 * A row as `GET` selects it for the kind of this process; `undefined` when it is damaged.
 * @param pathOf where the layer's folder of a kind is
 */
export function toLayerRecord(
  row: Row,
  pathOf: (id: LayerId, kind: FolderKind) => string,
): LayerRecord | undefined {
  const { id, diff_id: diffId, size, directory: bits, sum } = row
  if (!isLayerId(id) || sum !== layerSum(id, textOrNull(diffId), numberOrNull(size))) {
    return undefined
  }
  const own = folderKind()
  const kinds = FOLDER_KINDS.filter(({ bit }) => (Number(bits) & bit) !== 0)
  const others = kinds.filter((kind) => kind !== own)
  return {
    id,
    ...(typeof diffId === 'string' ? { diffId: parseDiffId(diffId) } : {}),
    ...(typeof size === 'number' ? { size } : {}),
    directory: kinds.includes(own) && isFolder(pathOf(id, own)),
    ...(others.length === 0 ? {} : { elsewhere: others.map((kind) => pathOf(id, kind)) }),
  }
}

/**
 * The checksum of a layer's row. To an older tsbuild, which would take differences for the whole layer, theirs
 * is wrong, so that it does without.
 */
export function layerSum(id: LayerId, diffId: string | null, size: number | null): string {
  const row = [id, diffId, size]
  return isDifferencesId(id) ? sumOf('differences', ...row) : sumOf(...row)
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function textOrNull(value: Row[string] | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function numberOrNull(value: Row[string] | undefined): number | null {
  return typeof value === 'number' ? value : null
}

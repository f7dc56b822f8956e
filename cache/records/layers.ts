import { lstatSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  asDiffId,
  type Descriptor,
  type DiffId,
  type Digest,
  errnoOf,
  hexOf,
  isDigest,
  type OwnedFiles,
  ownersFileOf,
  parseDiffId,
  randomName,
  uncompressedDigest,
} from '#core'
import { removeTree } from '#disk'
import type { BlobStore } from '../blobs/blob-store.ts'
import { storeFailure } from '../filesystem/failure.ts'
import type { Layout } from '../filesystem/layout.ts'
import { syncFileSystem } from '../filesystem/sync.ts'
import type { Database, Row } from './database.ts'
import { presumedOwners, setPresumedOwners } from './presumed-owners.ts'
import { sumOf } from './schema.ts'

declare const layerIdBrand: unique symbol

/** Names a layer on this machine: 1 to 64 of `a-z0-9`; the hex digits of its diffID if it has one. */
export type LayerId = string & { readonly [layerIdBrand]: true }

export interface LayerRecord {
  readonly id: LayerId
  readonly diffId?: DiffId
  /** Bytes of the uncompressed tar. */
  readonly size?: number
  /** True when the layer exists as a folder in overlay form. */
  readonly directory: boolean
}

/** What is known of a layer's uncompressed tar. */
export interface TarFacts {
  readonly diffId: DiffId
  /** Bytes. */
  readonly size: number
  /** Files whose owners are presumed: see `FileStat`. */
  readonly presumed?: OwnedFiles | undefined
}

export interface LayerFacts extends Partial<Omit<TarFacts, 'presumed'>> {
  readonly id?: LayerId
}

const LAYER_ID = /^[a-z0-9]{1,64}$/

/** @throws {RangeError} when `text` is no layer id */
export function layerId(text: string): LayerId {
  if (LAYER_ID.test(text)) return text as LayerId
  throw new RangeError(`invalid layer id ${JSON.stringify(text)}`)
}

/** The layers of this machine, in up to three forms: a folder, a tar blob, compressed blobs. */
export class Layers {
  readonly #layout: Layout
  readonly #database: Database
  readonly #blobs: BlobStore
  readonly #boot: string

  constructor(layout: Layout, services: { database: Database; blobs: BlobStore; boot: string }) {
    this.#layout = layout
    this.#database = services.database
    this.#blobs = services.blobs
    this.#boot = services.boot
  }

  get(id: LayerId): LayerRecord | undefined {
    return this.#toRecord(this.#database.get('SELECT * FROM layers WHERE id = ?', id))
  }

  /** One that exists as a folder is preferred. */
  findByDiffId(diffId: DiffId): LayerRecord | undefined {
    const found = this.#database
      .all('SELECT * FROM layers WHERE diff_id = ? ORDER BY directory DESC, id', diffId)
      .flatMap((row) => this.#toRecord(row) ?? [])
    return found.find((layer) => layer.directory) ?? found[0]
  }

  /** True when the layer's content can be had from this machine, in whatever form. */
  isPresent(id: LayerId): boolean {
    const layer = this.get(id)
    if (layer === undefined) return false
    if (layer.directory) return true
    const { diffId } = layer
    if (diffId === undefined) return false
    if (this.#blobs.stat(uncompressedDigest(diffId)) !== undefined) return true
    return this.compressed(diffId).some((blob) => this.#blobs.stat(blob.digest) === blob.size)
  }

  /** Where the layer's folder in overlay form is, or would be. */
  directory(id: LayerId): string {
    return join(this.#layout.layers, layerId(id))
  }

  /**
   * Takes over a complete folder in overlay form, from a `temporary()` of the same store. When the
   * layer has a folder already, that one stays and the new one is removed. A file with owners beside it
   * goes with it. Without an id or a diffID the layer gets a random id.
   * @throws {TsbuildError} NO_SPACE, PERMISSION_DENIED, IO_FAILED
   */
  async commitDirectory(directory: string, facts: LayerFacts = {}): Promise<LayerRecord> {
    const id = facts.id ?? layerId(facts.diffId ? hexOf(facts.diffId) : randomName(20))
    const target = this.directory(id)
    // The row comes first: a folder without a row is garbage. A row without its folder is harmless.
    this.#put(id, { ...facts, directory: true })
    if (!moveFolder(directory, target)) {
      await removeTree(directory)
      rmSync(ownersFileOf(directory), { force: true })
    }
    return this.get(id) ?? { id, directory: true }
  }

  /** Records a layer that exists as a tar blob; the record of the same content if there is one. */
  register(tar: TarFacts): LayerRecord {
    return this.#database.transaction(() => {
      const known = this.findByDiffId(tar.diffId)
      return this.setTar(known?.id ?? layerId(hexOf(tar.diffId)), tar)
    })
  }

  /** Adds what packing the layer has shown. */
  setTar(id: LayerId, tar: TarFacts): LayerRecord {
    const { diffId, size, presumed } = tar
    this.#database.transaction(() => {
      this.#put(id, tar)
      setPresumedOwners(this.#database, diffId, presumed)
    })
    return this.get(id) ?? { id, diffId, size, directory: false }
  }

  /** The files of a layer whose owners are presumed; `undefined` when there are none. */
  presumed(diffId: DiffId): OwnedFiles | undefined {
    return presumedOwners(this.#database, diffId)
  }

  /** Compressed blobs that hold the layer; they need not be on this machine (any more). */
  compressed(diffId: DiffId): readonly Descriptor[] {
    return this.#database
      .all('SELECT * FROM compressed WHERE diff_id = ? ORDER BY digest', diffId)
      .flatMap((row) => toDescriptor(row) ?? [])
  }

  /** What a check of the layer's folder has to find; `undefined` when it was never checked. */
  seal(id: LayerId): Digest | undefined {
    const row = this.#database.get('SELECT * FROM seals WHERE id = ?', id)
    const { digest, sum } = row ?? {}
    if (typeof digest !== 'string' || !isDigest(digest)) return undefined
    return sum === sumOf(id, digest) ? digest : undefined
  }

  setSeal(id: LayerId, digest: Digest): void {
    this.#database.run(
      'INSERT OR REPLACE INTO seals (id, digest, sum) VALUES (?, ?, ?)',
      ...[id, digest, sumOf(id, digest)],
    )
  }

  /**
   * Puts another folder in the place of a layer's, which goes to `aside`, a folder of a `temporary()`.
   * Steps that use the old one at this moment go on with it until it is removed.
   */
  replaceDirectory(id: LayerId, directory: string, aside: string): void {
    const target = this.directory(id)
    try {
      renameSync(target, join(aside, 'replaced'))
      moveOwners(directory, target)
      renameSync(directory, target)
    } catch (cause) {
      throw storeFailure(`replace layer ${target}`, cause)
    }
    this.#database.run('UPDATE layers SET boot = ? WHERE id = ?', this.#boot, id)
  }

  /** Forgets a layer and moves its folder into `aside`, a `temporary()`: what made it is done anew. */
  discard(id: LayerId, aside: string): void {
    this.#database.run('DELETE FROM layers WHERE id = ?', id)
    try {
      const directory = this.directory(id)
      renameSync(directory, join(aside, 'discarded'))
      rmSync(ownersFileOf(directory), { force: true })
    } catch (cause) {
      if (errnoOf(cause) !== 'ENOENT') throw storeFailure(`remove layer ${id}`, cause)
    }
  }

  /**
   * True when it was seen that this blob holds the layer. What a manifest and a config say of each other
   * is a claim.
   */
  isKnownBlob(diffId: DiffId, { digest }: Pick<Descriptor, 'digest'>): boolean {
    return (
      digest === uncompressedDigest(diffId) ||
      this.compressed(diffId).some((blob) => blob.digest === digest)
    )
  }

  /** To be called for a blob only after it was unpacked, or made, here. */
  addCompressed(diffId: DiffId, descriptor: Descriptor): void {
    const { digest, mediaType, size } = descriptor
    const sum = sumOf(diffId, digest, mediaType, size)
    this.#database.run(
      'INSERT OR REPLACE INTO compressed (diff_id, digest, media_type, size, sum) VALUES (?, ?, ?, ?, ?)',
      ...[diffId, digest, mediaType, size, sum],
    )
  }

  /**
   * Writes layers' files to the disk and remembers it. See docs/adr/0003-durability.md
   * @param options.olderThan milliseconds; layers made since then are left for another time: the
   * kernel has not begun with them, and waiting for it would take as long as the build
   */
  async sync(options: { readonly olderThan?: number } = {}): Promise<void> {
    const { olderThan } = options
    const marked = this.#database.all('SELECT id FROM layers WHERE boot IS NOT NULL')
    const pending =
      olderThan === undefined
        ? marked
        : marked.filter(({ id }) => this.#age(String(id)) > olderThan)
    if (pending.length === 0 && olderThan !== undefined) return
    const written = pending.length > 0 && (await syncFileSystem(this.#layout.layers))
    if (!written && !this.#database.unsynced) return
    this.#database.durably(() => {
      if (!written) return
      for (const { id } of pending) {
        this.#database.run('UPDATE layers SET boot = NULL WHERE id = ?', String(id))
      }
    })
  }

  /** Milliseconds since the folder got its name. */
  #age(id: string): number {
    const stat = lstatSync(join(this.#layout.layers, id), { throwIfNoEntry: false })
    return stat === undefined ? 0 : Date.now() - stat.ctimeMs
  }

  /** After a reboot: forgets folders that may be incomplete and hands them, and any others, over. */
  recover(discard: (path: string) => void): void {
    this.#database.transaction(() => {
      this.#database.run(
        'UPDATE layers SET directory = 0, boot = NULL WHERE boot IS NOT NULL AND boot <> ?',
        this.#boot,
      )
      this.#database.run('DELETE FROM layers WHERE directory = 0 AND diff_id IS NULL')
    })
    const rows = this.#database.all('SELECT id FROM layers WHERE directory = 1')
    const kept = new Set(rows.flatMap(({ id }) => [String(id), ownersFileOf(String(id))]))
    for (const name of readdirSync(this.#layout.layers)) {
      if (!kept.has(name)) discard(join(this.#layout.layers, name))
    }
  }

  /** After the loss of the database: a folder that is named by a diffID tells all that matters. */
  rebuild(): void {
    this.#database.transaction(() => {
      for (const name of readdirSync(this.#layout.layers)) {
        const digest = `sha256:${name}`
        if (isDigest(digest))
          this.#put(layerId(name), { diffId: asDiffId(digest), directory: true })
      }
    })
  }

  #put(id: LayerId, facts: LayerFacts & { directory?: boolean }): void {
    this.#database.transaction(() => {
      const known = this.get(id)
      const diffId = facts.diffId ?? known?.diffId ?? null
      const size = facts.size ?? known?.size ?? null
      const isNew = facts.directory === true && known?.directory !== true
      this.#database.run(
        `INSERT INTO layers (id, diff_id, size, directory, boot, sum)
         VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET diff_id = excluded.diff_id, size = excluded.size,
           directory = max(directory, excluded.directory), boot = coalesce(excluded.boot, boot),
           sum = excluded.sum`,
        ...[id, diffId, size, isNew ? 1 : 0, isNew ? this.#boot : null, sumOf(id, diffId, size)],
      )
    })
  }

  #toRecord(row: Row | undefined): LayerRecord | undefined {
    if (row === undefined) return undefined
    const { id, diff_id: diffId, size, directory, sum } = row
    if (typeof id !== 'string' || sum !== sumOf(id, textOrNull(diffId), numberOrNull(size))) {
      return undefined
    }
    const path = this.directory(layerId(id))
    return {
      id: layerId(id),
      ...(typeof diffId === 'string' ? { diffId: parseDiffId(diffId) } : {}),
      ...(typeof size === 'number' ? { size } : {}),
      directory:
        directory === 1 && lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
    }
  }
}

/** False when there is a folder at `target` already. */
function moveFolder(from: string, target: string): boolean {
  try {
    const found = lstatSync(target, { throwIfNoEntry: false })
    if (found !== undefined && !found.isDirectory()) rmSync(target)
    // Renaming would replace an empty one.
    if (found?.isDirectory() === true && readdirSync(target).length > 0) return false
    moveOwners(from, target)
    renameSync(from, target)
    return true
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno === 'ENOTEMPTY' || errno === 'EEXIST') return false
    throw storeFailure(`commit layer ${target}`, cause)
  }
}

/** Moves the owners beside a folder, before the folder: without them it would be another layer. */
export function moveOwners(from: string, to: string): void {
  try {
    renameSync(ownersFileOf(from), ownersFileOf(to))
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
    rmSync(ownersFileOf(to), { force: true })
  }
}

function toDescriptor(row: Row): Descriptor | undefined {
  const { diff_id: diffId, digest, media_type: mediaType, size, sum } = row
  if (typeof digest !== 'string' || !isDigest(digest)) return undefined
  if (typeof mediaType !== 'string' || typeof size !== 'number') return undefined
  if (sum !== sumOf(textOrNull(diffId), digest, mediaType, size)) return undefined
  return { mediaType, digest, size }
}

function textOrNull(value: Row[string] | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function numberOrNull(value: Row[string] | undefined): number | null {
  return typeof value === 'number' ? value : null
}

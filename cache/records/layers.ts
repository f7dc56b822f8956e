import { lstatSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  asDiffId,
  type Descriptor,
  type DiffId,
  type Digest,
  hexOf,
  isDigest,
  type OwnedFiles,
  ownersFileOf,
  randomName,
  uncompressedDigest,
} from '#core'
import { removeTree } from '#disk'
import type { BlobStore } from '../blobs/blob-store.ts'
import { storeError } from '../filesystem/failure.ts'
import { FOLDER_KINDS, type FolderKind, folderKind } from '../filesystem/folder-kind.ts'
import { type Layout, layersFolder } from '../filesystem/layout.ts'
import type { Pins } from '../filesystem/pins.ts'
import { syncFileSystem } from '../filesystem/sync.ts'
import {
  addCompressedBlob,
  addPackedBlob,
  blobAnnotations,
  compressedBlobs,
  packingsOf,
} from './compressed-blobs.ts'
import type { Database, Row } from './database.ts'
import { baseOfDifferences, setBaseOfDifferences } from './differences.ts'
import { moveAside, moveFolder, moveOwners } from './layer-folder.ts'
import {
  differencesId,
  isDifferencesId,
  isLayerId,
  isStackLayerId,
  type LayerId,
  layerId,
  stackLayerId,
} from './layer-id.ts'
import {
  ALL_WITH_FOLDER,
  CURRENT_ID,
  FIND_BY_DIFF_ID,
  FOLDER_NAME,
  GET,
  hasFolder,
  type LayerFacts,
  type LayerRecord,
  layerSum,
  type TarFacts,
  toLayerRecord,
} from './layer-record.ts'
import { recoverLayers } from './layer-recovery.ts'
import { presumedOwners, setPresumedOwners } from './presumed-owners.ts'
import { sealOf, setSeal } from './seals.ts'
import { SettledFolders } from './settled-folders.ts'

interface LayerServices {
  readonly database: Database
  readonly blobs: BlobStore
  readonly pins: Pins
  readonly boot: string
}

/** The layers of this machine, in up to three forms: a folder, a tar blob, compressed blobs. */
export class Layers {
  readonly #layout: Layout
  readonly #database: Database
  readonly #blobs: BlobStore
  readonly #pins: Pins
  readonly #boot: string
  readonly #settled: SettledFolders
  /** Bytes of the tars of layers whose folders were made by this process. */
  stored: number = 0

  constructor(layout: Layout, services: LayerServices) {
    this.#layout = layout
    this.#database = services.database
    this.#blobs = services.blobs
    this.#pins = services.pins
    this.#boot = services.boot
    this.#settled = new SettledFolders(services.database)
  }

  /**
   * The layer of this id; of an earlier id the layer as it is named by now. One that is there stays, in all of
   * its forms, until this process ends.
   */
  get(id: LayerId): LayerRecord | undefined {
    this.#pins.hold(id)
    return this.#toRecord(this.#database.get(GET, folderKind().bit, id, id))
  }

  /** One that exists as a folder is preferred. All of them stay until this process ends. */
  findByDiffId(diffId: DiffId): LayerRecord | undefined {
    this.#pins.hold(hexOf(diffId))
    const found = this.#database
      .all(FIND_BY_DIFF_ID, folderKind().bit, diffId)
      .flatMap((row) => this.#toRecord(row) ?? [])
    const fitsAnywhere = found.find(({ id }) => !isStackLayerId(id))
    return found.find((layer) => layer.directory) ?? fitsAnywhere ?? found[0]
  }

  /** True when the layer's content can be had from this machine, in whatever form. */
  isPresent(id: LayerId): boolean {
    const layer = this.get(id)
    if (layer === undefined) return false
    if (hasFolder(layer)) return true
    const { diffId } = layer
    if (diffId === undefined) return false
    if (this.#blobs.stat(uncompressedDigest(diffId)) !== undefined) return true
    return this.compressed(diffId).some((blob) => this.#blobs.stat(blob.digest) === blob.size)
  }

  /** Where the layer's folder in overlay form is, or would be. */
  directory(id: LayerId): string {
    return this.#folderOf(id, folderKind())
  }

  /** The folders of a layer that has one, topmost first. */
  folders({ id, differsFrom }: LayerRecord): readonly string[] {
    const ids = differsFrom === undefined ? [id] : [id, differsFrom]
    return ids.map((one) => this.directory(one))
  }

  #folderOf(id: LayerId, kind: FolderKind): string {
    const { folder } = this.#database.get(FOLDER_NAME, id, id, kind.bit) ?? {}
    return this.#path(isLayerId(folder) ? folder : id, kind)
  }

  /**
   * Takes over a complete folder in overlay form, from a `temporary()` of the same store. When the
   * layer has a folder already, that one stays and the new one is removed. A file with owners beside it
   * goes with it. Without an id or a diffID the layer gets a random id.
   * @throws {TsbuildError} NO_SPACE, PERMISSION_DENIED, IO_FAILED
   */
  async commitDirectory(directory: string, facts: LayerFacts = {}): Promise<LayerRecord> {
    const id = facts.id ?? layerId(facts.diffId ? hexOf(facts.diffId) : randomName(20))
    // The row comes first: a folder without a row is garbage. A row without its folder is harmless.
    this.#put(id, { ...facts, directory: true })
    const target = this.directory(id)
    if (moveFolder(directory, target)) this.#settled.renew(target)
    else {
      await removeTree(directory)
      rmSync(ownersFileOf(directory), { force: true })
    }
    return this.get(id) ?? { id, directory: true }
  }

  /**
   * Takes over a folder with only what differs from the folder of layer `base`, from a `temporary()` of the
   * same store. They are one layer on the stack that they were made on.
   * @throws {TsbuildError} NO_SPACE, PERMISSION_DENIED, IO_FAILED
   */
  commitDifferences(directory: string, base: LayerId): LayerRecord {
    const id = differencesId()
    this.#database.transaction(() => {
      this.#put(id, { directory: true })
      setBaseOfDifferences(this.#database, id, base)
    })
    const target = this.directory(id)
    if (!moveFolder(directory, target)) throw new Error('a new id has no folder')
    this.#settled.renew(target)
    return this.get(id) ?? { id, directory: false, differsFrom: base }
  }

  /** Records a layer that exists as a tar blob; the record of the same content if there is one. */
  register(tar: TarFacts): LayerRecord {
    return this.#database.transaction(() => {
      const known = this.findByDiffId(tar.diffId)
      const fits = known !== undefined && !isStackLayerId(known.id)
      return this.setTar(fits ? known.id : layerId(hexOf(tar.diffId)), tar)
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

  /**
   * Adds what packing a step's layer has shown, and names the layer by its content: steps that left
   * the same on the same stack have one layer. Its folder stays where it is, since mounts use it, and
   * the earlier id goes on leading to the layer. Of two folders the newer one counts: an earlier one may
   * be damaged, which a build without the cache mends, or lack owners that are known by now. Differences keep
   * their id: their folder alone is not the content.
   * @param below diffIDs of the layers underneath, bottom first
   */
  identify(id: LayerId, tar: TarFacts, below: readonly DiffId[]): LayerRecord {
    const named = stackLayerId([...below, tar.diffId])
    return this.#database.transaction(() => {
      const known = this.get(id)
      const isNamed = known?.id !== id || known.diffId !== undefined || isDifferencesId(id)
      if (isNamed) return this.setTar(known?.id ?? id, tar)
      const holds = known.directory
      if (holds) this.#dropFolder(named)
      this.#database.run('DELETE FROM layers WHERE id = ?', id)
      this.#put(named, holds ? { ...tar, directory: true } : tar)
      this.#database.run(
        'INSERT OR REPLACE INTO renamed (name, id, holds) VALUES (?, ?, ?)',
        ...[id, named, holds ? folderKind().bit : 0],
      )
      return this.setTar(named, tar)
    })
  }

  /** Forgets the folder of a layer, which has another one. */
  #dropFolder(id: LayerId): void {
    const { bit } = folderKind()
    this.#database.run('UPDATE layers SET directory = directory & ~? WHERE id = ?', bit, id)
    this.#database.run('DELETE FROM seals WHERE id = ?', id)
  }

  /** The files of a layer whose owners are presumed; `undefined` when there are none. */
  presumed(diffId: DiffId): OwnedFiles | undefined {
    return presumedOwners(this.#database, diffId)
  }

  /** Compressed blobs that hold the layer; they need not be on this machine (any more). */
  compressed(diffId: DiffId): readonly Descriptor[] {
    return compressedBlobs(this.#database, diffId)
  }

  /** What a check of the layer's folder has to find; `undefined` when it was never checked. */
  seal(id: LayerId): Digest | undefined {
    return sealOf(this.#database, id)
  }

  setSeal(id: LayerId, digest: Digest): void {
    setSeal(this.#database, id, digest)
  }

  /**
   * Puts another folder in the place of a layer's, which goes to `aside`, a folder of a `temporary()`.
   * Steps that use the old one at this moment go on with it until it is removed.
   */
  replaceDirectory(id: LayerId, directory: string, aside: string): void {
    const target = this.directory(id)
    // Before: a power cut must not leave the new one with what was said of the old one.
    this.#database.durably(() => {
      this.#database.run(`UPDATE layers SET boot = ? WHERE id = ${CURRENT_ID}`, this.#boot, id, id)
    })
    try {
      moveAside(target, join(aside, 'replaced'))
      moveOwners(directory, target)
      renameSync(directory, target)
    } catch (cause) {
      throw storeError(`replace layer ${target}`, cause)
    }
    this.#settled.renew(target)
  }

  /**
   * Says that from now on others than the store may change its folders. The times of folders are kept, also
   * of those that are committed later: what changes them leaves a newer one. Idempotent.
   * @param now milliseconds, by the clock of the file system
   */
  keepTimes(now: number): void {
    const folders = FOLDER_KINDS.flatMap((kind) => {
      const rows = this.#database.all(ALL_WITH_FOLDER, kind.bit, kind.bit)
      const names = rows.map(({ id, folder }) => folder ?? id)
      return names.filter(isLayerId).map((name) => this.#path(name, kind))
    })
    this.#settled.begin(folders, now)
  }

  /** Whether others than the store may change its folders. */
  get keepsTimes(): boolean {
    return this.#settled.isKept
  }

  /** Nothing in a folder was changed later than this, unless it is damaged; `undefined`: not known. */
  settledAt(directory: string): number | undefined {
    return this.#settled.until(directory)
  }

  /** Removes a layer, so that it is made again: its folder goes to `aside`, a `temporary()`. */
  discard(id: LayerId, aside: string): void {
    const directory = this.directory(id)
    this.#database.durably(() => {
      this.#database.run(`DELETE FROM layers WHERE id = ${CURRENT_ID}`, id, id)
      this.#database.run(`UPDATE renamed SET holds = 0 WHERE id = ${CURRENT_ID}`, id, id)
    })
    try {
      moveAside(directory, join(aside, 'discarded'))
      rmSync(ownersFileOf(directory), { force: true })
    } catch (cause) {
      throw storeError(`remove layer ${id}`, cause)
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
    addCompressedBlob(this.#database, diffId, descriptor)
  }

  /** What the layer was packed to here, by how it was packed; the blobs need not be here any more. */
  packings(diffId: DiffId): ReadonlyMap<string, Digest> {
    return packingsOf(this.#database, diffId)
  }

  /** What descriptors say of the blobs that the layer was packed to with annotations, be there none. */
  annotations(diffId: DiffId): ReadonlyMap<Digest, NonNullable<Descriptor['annotations']>> {
    return blobAnnotations(this.#database, diffId)
  }

  /**
   * To be called for what the layer was packed to here; on a full disk nothing is remembered. Its annotations are
   * kept, too.
   */
  addPacked(diffId: DiffId, blob: Descriptor & { readonly packing: string }): void {
    addPackedBlob(this.#database, diffId, blob)
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
    const stat = lstatSync(this.directory(layerId(id)), { throwIfNoEntry: false })
    return stat === undefined ? 0 : Date.now() - stat.ctimeMs
  }

  /** After a reboot: drops folders that may be incomplete; these and unknown ones go to `discard`. */
  recover(discard: (path: string) => void): void {
    recoverLayers(discard, { layout: this.#layout, database: this.#database, boot: this.#boot })
  }

  /** After the loss of the database: records the folders that are named by a diffID. */
  rebuild(): void {
    this.#database.transaction(() => {
      for (const name of readdirSync(this.#layout.layers)) {
        const digest = `sha256:${name}`
        if (isDigest(digest))
          this.#put(layerId(name), { diffId: asDiffId(digest), directory: true })
      }
    })
  }

  #put(name: LayerId, facts: LayerFacts & { directory?: boolean }): void {
    this.#database.transaction(() => {
      const known = this.get(name)
      const id = known?.id ?? name
      const diffId = facts.diffId ?? known?.diffId ?? null
      const size = facts.size ?? known?.size ?? null
      const isNew = facts.directory === true && known?.directory !== true
      if (isNew || (known?.directory === true && known.size === undefined)) this.stored += size ?? 0
      const { bit } = folderKind()
      // The folder will have the name of the layer.
      if (isNew) this.#database.run('UPDATE renamed SET holds = holds & ~? WHERE id = ?', bit, id)
      this.#database.run(
        `INSERT INTO layers (id, diff_id, size, directory, boot, sum)
         VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET diff_id = excluded.diff_id, size = excluded.size,
           directory = directory | excluded.directory, boot = coalesce(excluded.boot, boot),
           sum = excluded.sum`,
        ...[
          id,
          diffId,
          size,
          isNew ? bit : 0,
          isNew ? this.#boot : null,
          layerSum(id, diffId, size),
        ],
      )
    })
  }

  #toRecord(row: Row | undefined): LayerRecord | undefined {
    // A damaged name of the folder: then the layer has none, and is made again.
    const name = isLayerId(row?.folder) ? row.folder : undefined
    const pathOf = (id: LayerId, kind: FolderKind): string =>
      kind === folderKind() ? this.#path(name ?? id, kind) : this.#folderOf(id, kind)
    const record = row && toLayerRecord(row, pathOf)
    return record && isDifferencesId(record.id) ? this.#onItsBase(record) : record
  }

  #onItsBase(record: LayerRecord): LayerRecord {
    const base = record.directory ? baseOfDifferences(this.#database, record.id) : undefined
    const partial = { ...record, directory: false }
    if (base === undefined || this.get(base)?.directory !== true) return partial
    return { ...partial, differsFrom: base }
  }

  #path(folder: LayerId, kind: FolderKind): string {
    return join(layersFolder(this.#layout.root, kind), folder)
  }
}

import { closeSync, openSync } from 'node:fs'
import { BlobStore } from './blobs/blob-store.ts'
import { BuildFolders } from './builds/build-folders.ts'
import { CacheMounts } from './cache-mounts.ts'
import { EngineDocuments } from './engine/engine-documents.ts'
import { bootId } from './filesystem/boot.ts'
import { lockSync, tryLock } from './filesystem/file-lock.ts'
import {
  ensureFolders,
  type Layout,
  layoutOf,
  OCI_LAYOUT_TEXT,
  readIfThere,
  VERSION_TEXT,
} from './filesystem/layout.ts'
import { Pins } from './filesystem/pins.ts'
import { Presence, type TemporaryDirectory } from './filesystem/presence.ts'
import { replaceFile } from './filesystem/replace-file.ts'
import type { OnWait } from './filesystem/waits.ts'
import { ImageNames } from './image-names.ts'
import { BlobRepositories } from './records/blob-repositories.ts'
import { BuildTraces } from './records/build-traces.ts'
import type { CacheKey } from './records/cache-key.ts'
import { CacheRecords } from './records/cache-records.ts'
import { Database } from './records/database.ts'
import { Layers } from './records/layers.ts'
import { type LeaseOptions, Leases } from './records/leases.ts'
import { MachineFacts } from './records/machine-facts.ts'
import { StoredResults } from './records/stored-results.ts'
import { noteSize } from './size-note.ts'
import { TarContentsFiles } from './tar-contents.ts'

/** How a store is opened. */
export interface StoreOptions {
  /** Gets what has to be waited for. */
  readonly onWait?: OnWait | undefined
}

/** What a store is made of, for what looks after it as a whole. */
export interface StoreParts {
  readonly layout: Layout
  readonly presence: Presence
  readonly database: Database
  readonly images: ImageNames
  readonly engine: EngineDocuments
}

/** Everything that is on this machine's disk. Any number of processes may have it open. */
export class Store implements AsyncDisposable {
  /** Absolute. */
  readonly root: string
  readonly blobs: BlobStore
  readonly images: ImageNames
  readonly records: CacheRecords
  /** The records as the solver asks for them. */
  readonly results: StoredResults
  /** What the latest builds did. */
  readonly traces: BuildTraces
  /** The latest builds, what their steps printed, and what failed steps have left. */
  readonly builds: BuildFolders
  readonly layers: Layers
  /** Which repositories have which blobs. */
  readonly repositories: BlobRepositories
  readonly contents: TarContentsFiles
  readonly mounts: CacheMounts
  readonly facts: MachineFacts
  /** What the engine keeps. */
  readonly engine: EngineDocuments
  readonly #layout: Layout
  readonly #boot: string
  readonly #presence: Presence
  readonly #pins: Pins
  readonly #database: Database
  readonly #leases: Leases

  /** Use `openStore`. */
  constructor(layout: Layout, { onWait }: StoreOptions) {
    const boot = bootId()
    const presence = new Presence(layout)
    const database = new Database(layout)
    const pins = new Pins(layout, presence)
    const blobs = new BlobStore(layout, { presence, pins })
    this.root = layout.root
    this.blobs = blobs
    this.layers = new Layers(layout, { database, blobs, pins, boot })
    this.repositories = new BlobRepositories(database)
    this.contents = new TarContentsFiles(layout)
    this.mounts = new CacheMounts(layout, presence, onWait)
    this.records = new CacheRecords(database, this.layers)
    this.results = new StoredResults(this)
    this.traces = new BuildTraces(database)
    this.builds = new BuildFolders(layout, presence, pins)
    this.facts = new MachineFacts(database)
    this.engine = new EngineDocuments(layout)
    this.images = new ImageNames(layout, { presence, database, blobs })
    this.#layout = layout
    this.#boot = boot
    this.#presence = presence
    this.#pins = pins
    this.#database = database
    this.#leases = new Leases(database, presence, onWait)
    if (!this.#isSound()) this.#recover()
    // Who damages the database may have damaged folders, too.
    database.onReplaced = () => {
      if (!this.layers.keepsTimes) this.layers.rebuild()
    }
  }

  /** For what looks after the store as a whole: see cache/collection */
  get parts(): StoreParts {
    const { images, engine } = this
    return {
      ...{ layout: this.#layout, presence: this.#presence, database: this.#database },
      ...{ images, engine },
    }
  }

  /** Bytes that this process has stored, about: by the lengths of blobs, and of the tars of folders. */
  get stored(): number {
    return this.blobs.stored + this.layers.stored
  }

  /** The files of containers, a folder each. */
  get containersFolder(): string {
    return this.#layout.containers
  }

  /** The files of volumes, a folder each. */
  get volumesFolder(): string {
    return this.#layout.volumes
  }

  /**
   * The right to write what the engine keeps, which one process has at a time.
   * @returns `undefined` when another one has it
   */
  lockEngine(): Disposable | undefined {
    return tryLock(this.#layout.engineLock)
  }

  /** The folders with what steps are shown as it lies on the disk, also while it is written. */
  get shownFolders(): readonly string[] {
    const { layers, kept, temporary, containers, volumes } = this.#layout
    return [layers, kept, temporary, containers, volumes]
  }

  /**
   * Waits for the right to execute the step `key`, which one holder in all processes has; look the
   * record up again when you have it. Dispose of it to let the next one in.
   * @throws {TsbuildError} CANCELLED
   */
  lease(key: CacheKey, options: LeaseOptions = {}): Promise<AsyncDisposable> {
    return this.#leases.take(key, options)
  }

  /**
   * Makes a folder below `<root>/tmp`, so that what is written there can be renamed into the store.
   * @throws {TsbuildError} NO_SPACE, PERMISSION_DENIED
   */
  temporary(): TemporaryDirectory {
    return this.#presence.temporary()
  }

  /**
   * Makes everything survive a power cut that was committed so far. Little work when nothing was.
   * @throws {TsbuildError} NO_SPACE, IO_FAILED
   */
  async sync(): Promise<void> {
    this.records.flush()
    await Promise.all([this.blobs.sync(), this.layers.sync()])
  }

  /** Puts an empty database in the place of a damaged one, which SQLite reads in full to find that out. */
  checkDatabase(): void {
    this.#database.check()
  }

  /** Does not `sync`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.records.flush()
    this.#database[Symbol.dispose]()
    this.engine[Symbol.dispose]()
    this.#pins[Symbol.dispose]()
    await this.#presence[Symbol.asyncDispose]()
  }

  /** True when the store was made completely and no power cut can have destroyed anything since. */
  #isSound(): boolean {
    const { boot, version, ociLayout } = this.#layout
    return (
      readIfThere(boot) === this.#boot &&
      readIfThere(version) === VERSION_TEXT &&
      readIfThere(ociLayout) === OCI_LAYOUT_TEXT
    )
  }

  /** Makes a new store, and looks an old one over once after a reboot. */
  #recover(): void {
    const { boot, version, ociLayout } = this.#layout
    using _ = lockSync(this.#layout.lock)
    if (this.#isSound()) return
    this.#replace(ociLayout, OCI_LAYOUT_TEXT)
    this.#database.check()
    this.#leases.clear()
    this.blobs.recover()
    this.layers.recover((path) => this.#presence.discard(path))
    this.images.recover()
    if (readIfThere(version) === undefined) this.#begin()
    this.#replace(version, VERSION_TEXT)
    this.#replace(boot, this.#boot)
  }

  /** What a new store has, beside what it is recognized by. */
  #begin(): void {
    noteSize(this.#layout, 0)
    // Held by those that find the disk too full to make it.
    closeSync(openSync(this.#layout.sweepLock, 'a', 0o600))
  }

  #replace(path: string, text: string): void {
    replaceFile(path, text, { layout: this.#layout, presence: this.#presence })
  }
}

/**
 * Opens a store, and makes it when there is none; takes a millisecond or two.
 * @throws {TsbuildError} STORE_INVALID when `root` is something else, another user's or of a newer
 * tsbuild, PERMISSION_DENIED, NO_SPACE
 */
export function openStore(root: string, options: StoreOptions = {}): Store {
  const layout = layoutOf(root)
  ensureFolders(layout)
  return new Store(layout, options)
}

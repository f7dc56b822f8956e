import type { Bytes, TransferOptions } from '#core'
import type { ExtractOptions } from './extract/extract.ts'
import { type FilesPool, openFilesPool } from './files-pool.ts'
import type { ContainerLayers } from './layers/container-layers.ts'
import type { PathChange } from './layers/find-changes.ts'
import type { NewLayer, WriteLayerTask } from './layers/write-layer.ts'
import type { PathTask } from './root/container-path.ts'
import type { PathStat } from './root/path-stat.ts'
import { bytesFromThread, bytesToThread } from './thread-streams.ts'

/** What a container's files take. */
export interface ContainerSize {
  /** Bytes of what it has changed. */
  readonly changed: number
  /** Bytes of all its files. */
  readonly total: number
}

/** Layers whose size is remembered. */
const MOST_KNOWN = 10_000

/**
 * What is done with the files of containers, whether they run or not. Threads do all of it: they walk on descriptors
 * below a root that belongs to the container, and never follow a link that could lead out of it.
 */
export class ContainerFiles implements AsyncDisposable {
  readonly #pool: FilesPool
  /** Bytes by directory of a layer, which never changes. */
  readonly #known = new Map<string, Promise<number>>()

  constructor() {
    this.#pool = openFilesPool()
  }

  /** What is at a path. @throws {TsbuildError} NOT_FOUND, IO_FAILED, USAGE */
  stat(task: PathTask, { signal }: TransferOptions = {}): Promise<PathStat> {
    return this.#pool.run('statPath', task, signal)
  }

  /**
   * What is at a path as a tar. The root must stay open until the bytes have ended.
   * @throws {TsbuildError} as `stat`, while the bytes are read
   */
  archive(task: PathTask, options: TransferOptions = {}): Bytes {
    return bytesFromThread(
      this.#pool,
      (ring, signal) => this.#pool.runBeside('writeArchive', { ...task, ring }, signal),
      options,
    )
  }

  /**
   * Unpacks a tar, packed in any way, into a directory. After a failure some of its files are there.
   * @throws {TsbuildError} NOT_FOUND, USAGE when it is not a directory, PERMISSION_DENIED when it is read-only,
   *   LAYER_INVALID for an archive that is damaged or hostile, NO_SPACE, IO_FAILED, CANCELLED
   */
  async extract(
    task: PathTask & ExtractOptions,
    tar: Bytes,
    { signal }: TransferOptions = {},
  ): Promise<void> {
    await bytesToThread(this.#pool, tar, {
      perform: (ring, stop) => this.#pool.runBeside('extractArchiveInto', { ...task, ring }, stop),
      signal,
    })
  }

  /** What a container has changed. @throws {TsbuildError} IO_FAILED, CANCELLED */
  changes(
    layers: ContainerLayers,
    { signal }: TransferOptions = {},
  ): Promise<readonly PathChange[]> {
    return this.#pool.run('findChanges', layers, signal)
  }

  /** All files as a tar, without what is mounted. @throws {TsbuildError} IO_FAILED, CANCELLED */
  export(layers: ContainerLayers, options: TransferOptions = {}): Bytes {
    return bytesFromThread(
      this.#pool,
      (ring, signal) => this.#pool.runBeside('exportLayers', { layers, ring }, signal),
      options,
    )
  }

  /** What the files take on the disk. @throws {TsbuildError} IO_FAILED */
  async size({ upper, lower }: ContainerLayers): Promise<ContainerSize> {
    const changed = await this.#pool.run('measureDirectory', upper, undefined)
    const below = await Promise.all(lower.map((directory) => this.#sizeOf(directory)))
    return { changed, total: below.reduce((sum, bytes) => sum + bytes, changed) }
  }

  /** Writes what a container has changed as a layer. @throws {TsbuildError} LAYER_INVALID, IO_FAILED, NO_SPACE, CANCELLED */
  writeLayer(task: WriteLayerTask, { signal }: TransferOptions = {}): Promise<NewLayer> {
    return this.#pool.run('writeContainerLayer', task, signal)
  }

  /** Stops all work, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]()
  }

  #sizeOf(directory: string): Promise<number> {
    const known = this.#known.get(directory)
    if (known !== undefined) return known
    if (this.#known.size >= MOST_KNOWN) this.#known.clear()
    const measured = this.#pool.run('measureDirectory', directory, undefined)
    this.#known.set(directory, measured)
    measured.catch(() => this.#known.delete(directory))
    return measured
  }
}

/**
 * Keeps layers of the store right where steps can reach them: a step in place that runs as root may change
 * every file of the container, and `find / -exec` does so by accident. Nothing reads layers while such a
 * step runs, and before anything does, the folders that the build uses are looked over: what was changed
 * has a newer time than the store has left there. It is made anew from its blob, or not used any more.
 */
import { chmodSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { LayerId, Store, TarFacts } from '#cache'
import { TsbuildError, uncompressedDigest } from '#core'
import type { Gate } from '../work/gate.ts'
import type { WorkPool } from '../work/work-pool.ts'
import { TarWatch, type UsedTar } from './tar-watch.ts'

/** What layers are watched with. */
export interface LayerWatchDeps {
  readonly store: Store
  readonly pool: WorkPool
  /** Of the pool. */
  readonly gate: Gate
}

/** The folder of a layer that a build uses. */
export interface UsedFolder {
  readonly id: LayerId
  readonly directory: string
  /** Makes it anew at a path where nothing is; throws where there is nothing to make it of. */
  readonly remake: (target: string) => Promise<void>
}

/** A step that runs in place. */
export interface WatchedStep<T> {
  /** Runs it until nothing is left of it. */
  readonly run: () => Promise<void>
  /** Takes what it left. */
  readonly finish: () => Promise<T>
  /** That reads layers. */
  readonly readsLayers: boolean
  /** Gets the path of something that it has changed in the store, and that is repaired. */
  readonly onRepaired: (path: string) => void
}

/** Milliseconds. Some file systems count whole seconds. */
const LONGEST_TICK = 2500

/** Watches the layers that one build uses. */
export class LayerWatch {
  readonly #deps: LayerWatchDeps
  /** By directory. Layers come after those below them. */
  readonly #used = new Map<string, UsedFolder>()
  readonly #checks = new Map<string, Promise<void>>()
  readonly #damaged = new Map<string, TsbuildError>()
  readonly #tars: TarWatch
  #repairs = 0

  constructor(deps: LayerWatchDeps) {
    this.#deps = deps
    this.#tars = new TarWatch(deps)
  }

  /** A layer is being repaired: tasks for it run beside others. */
  get isRepairing(): boolean {
    return this.#repairs > 0
  }

  /**
   * To be called before a folder that was found in the store, or made, is used for the first time.
   * @throws {TsbuildError} DIGEST_MISMATCH when an earlier build has left it damaged
   */
  async use(folder: UsedFolder): Promise<void> {
    const { directory } = folder
    const begun = this.#checks.get(directory) ?? this.#begin(folder)
    this.#checks.set(directory, begun)
    await begun
    this.check(directory)
  }

  async #begin(folder: UsedFolder): Promise<void> {
    this.#used.set(folder.directory, folder)
    const path = await this.#changedIn(folder.directory)
    if (path !== undefined) await this.#repair(folder, path)
  }

  /** Takes over the tar of a layer from a `temporary()` of the store, which was digested while it was written. */
  async keepTar(file: string, { diffId, size }: TarFacts): Promise<void> {
    const { blobs } = this.#deps.store
    const digest = uncompressedDigest(diffId)
    const isNew = blobs.stat(digest) !== size
    await blobs.adopt(file, digest, size)
    if (isNew) this.#tars.know(blobs.path(digest))
  }

  /**
   * To be called before a tar of the store is used for the first time in the place of a folder.
   * @throws {TsbuildError} DIGEST_MISMATCH when it is damaged, and there is nothing to make it of
   */
  async useTar(tar: UsedTar): Promise<void> {
    if (!(await this.#tars.use(tar))) await this.#repairTar(tar)
    this.check(tar.path)
  }

  /** @throws {TsbuildError} DIGEST_MISMATCH when the layer was damaged, and cannot be repaired */
  check(path: string): void {
    const failure = this.#damaged.get(path)
    if (failure !== undefined) throw failure
  }

  /** Runs a step that may change layers, while nothing reads any. */
  async around<T>(step: WatchedStep<T>): Promise<T> {
    return this.#deps.gate.alone(async () => {
      await this.#settle()
      try {
        await step.run()
      } catch (cause) {
        await this.#lookOver(step)
        throw cause
      }
      const looked = this.#lookOver(step)
      if (step.readsLayers) await looked
      const [taken] = await Promise.all([step.finish(), looked])
      return taken
    })
  }

  /** Has times kept, and waits until what is changed from now on has another one than what is there. */
  async #settle(): Promise<void> {
    const { store } = this.#deps
    await using temporary = store.temporary()
    store.layers.keepTimes(touch(temporary.path))
    const times = [...this.#used.keys()].map((directory) => store.layers.settledAt(directory) ?? 0)
    const newest = Math.max(this.#tars.newest, ...times)
    const end = performance.now() + LONGEST_TICK
    while (touch(temporary.path) <= newest && performance.now() < end) await delay(1)
  }

  async #lookOver({ onRepaired }: Pick<WatchedStep<unknown>, 'onRepaired'>): Promise<void> {
    for (const tar of await this.#tars.changed()) {
      if (await this.#repairTar(tar)) onRepaired(tar.path)
    }
    for (const folder of this.#used.values()) {
      if (this.#damaged.has(folder.directory)) continue
      const path = await this.#changedIn(folder.directory)
      if (path === undefined) continue
      if (await this.#repair(folder, path)) onRepaired(path)
    }
  }

  async #changedIn(directory: string): Promise<string | undefined> {
    const { pool, store } = this.#deps
    const until = store.layers.settledAt(directory)
    if (until === undefined) return undefined
    return pool.runBeside('changedSince', { directory, until }, undefined)
  }

  /** @returns whether it is right again */
  async #repairTar(tar: UsedTar): Promise<boolean> {
    if (this.#damaged.has(tar.path)) return false
    this.#repairs += 1
    try {
      await this.#tars.repair(tar)
      return true
    } catch (cause) {
      this.#damaged.set(tar.path, damagedError(tar.path, this.#deps.store.root, cause))
      return false
    } finally {
      this.#repairs -= 1
    }
  }

  /** @returns whether it is right again */
  async #repair({ id, directory, remake }: UsedFolder, path: string): Promise<boolean> {
    const { store } = this.#deps
    const { layers } = store
    await using place = store.temporary()
    const fresh = join(place.path, 'fresh')
    this.#repairs += 1
    try {
      await remake(fresh)
      layers.replaceDirectory(id, fresh, place.path)
      return true
    } catch (cause) {
      layers.discard(id, place.path)
      this.#damaged.set(directory, damagedError(path, store.root, cause))
      return false
    } finally {
      this.#repairs -= 1
    }
  }
}

/** Gives a directory of this process the time of now, and returns it in milliseconds. */
function touch(directory: string): number {
  chmodSync(directory, 0o700)
  return lstatSync(directory).ctimeMs
}

/** Says how a step leaves the store alone. */
export function storeHint(root: string): string {
  return `steps in place see the store: have them leave it out (find / -path ${root} -prune -o …), or put it on a volume (--root) and use find -xdev`
}

function damagedError(path: string, root: string, cause: unknown): TsbuildError {
  return new TsbuildError(`a layer of the store was changed by a step that ran in place: ${path}`, {
    code: 'DIGEST_MISMATCH',
    hint: `it was removed, and is made anew by the next build; ${storeHint(root)}`,
    cause,
  })
}

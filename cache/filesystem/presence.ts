import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, randomName } from '#core'
import { removeTree } from '#disk'
import { namesIn } from './best-effort.ts'
import { storeError } from './failure.ts'
import { type FileLock, lockSync, tryLock } from './file-lock.ts'
import type { Layout } from './layout.ts'

/** A folder below `tmp`, removed with what is in it when it is disposed of. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string
}

const LOCK = '.lock'
const DEAD = 'dead'

/**
 * This process in a store: a folder `tmp/<id>` for what it writes, and beside it `<id>.lock`, locked
 * as long as the process lives. The kernel says which processes are dead, not a process id, so it holds
 * across pid namespaces; what dead processes left behind is removed by the next process.
 */
export class Presence implements AsyncDisposable {
  readonly id: string = randomName(16)
  readonly #layout: Layout
  readonly #folder: string
  readonly #cleaning = new AbortController()
  #lock: FileLock | undefined
  #cleaned: Promise<void> = Promise.resolve()
  #count = 0
  #deadCount = 0

  constructor(layout: Layout) {
    this.#layout = layout
    this.#folder = join(layout.temporary, this.id)
  }

  /** An unused path below `tmp`, for a file or a folder that is yet to be made. */
  newPath(): string {
    return this.own(`${this.#count++}`)
  }

  /** The path of `name` in the folder of this process: no number, and nothing that begins like the dead. */
  own(name: string): string {
    this.establish()
    return join(this.#folder, name)
  }

  /** @throws {TsbuildError} NO_SPACE, PERMISSION_DENIED */
  temporary(): TemporaryDirectory {
    const path = this.newPath()
    try {
      mkdirSync(path, { mode: 0o700 })
    } catch (cause) {
      throw storeError('make a temporary folder', cause)
    }
    return { path, [Symbol.asyncDispose]: () => this.#remove(path) }
  }

  /** Makes this process known, once. */
  establish(): void {
    if (this.#lock !== undefined) return
    const lock = this.#lockOwn()
    try {
      // After the lock: a folder without a held lock belongs to the dead.
      mkdirSync(this.#folder, { mode: 0o700 })
    } catch (cause) {
      lock[Symbol.dispose]()
      throw storeError(`make the temporary folder ${this.#folder}`, cause)
    }
    this.#lock = lock
    this.#takeLeftovers()
  }

  /**
   * Moves a file or folder of the store out of the way, which is quick, and removes it in the
   * background. What cannot be moved or removed (a file system is mounted there, or it does not exist)
   * is left to the next process, like what there was no time for.
   * @returns whether it was moved
   */
  discard(path: string): boolean {
    const dead = this.own(`${DEAD}${this.#deadCount++}`)
    try {
      renameSync(path, dead)
    } catch (cause) {
      if (errnoOf(cause) === undefined) throw cause
      return false
    }
    const { signal } = this.#cleaning
    this.#cleaned = this.#cleaned.then(async () => {
      await removeTree(dead, { signal })
    })
    return true
  }

  /** Resolves when everything that was discarded so far has been removed. */
  discarded(): Promise<void> {
    return this.#cleaned
  }

  /** The processes that have something below `tmp`, whether or not they live. */
  ids(): ReadonlySet<string> {
    const names = readdirSync(this.#layout.temporary)
    const idOf = (name: string) => (name.endsWith(LOCK) ? name.slice(0, -LOCK.length) : name)
    return new Set(names.map(idOf))
  }

  /** True while the process that named itself `id` lives; takes 0.1 ms. */
  isAlive(id: string): boolean {
    const path = join(this.#layout.temporary, `${id}${LOCK}`)
    if (!existsSync(path)) return false
    using lock = tryLock(path)
    return lock === undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const lock = this.#lock
    if (lock === undefined) return
    this.#lock = undefined
    this.#cleaning.abort()
    await this.#cleaned
    const left = readdirSync(this.#folder)
    if (left.every((name) => !name.startsWith(DEAD))) {
      if (left.length === 0) rmdirSync(this.#folder)
      if (left.length === 0 || (await removeTree(this.#folder))) unlinkSync(lock.path)
    }
    lock[Symbol.dispose]()
  }

  #lockOwn(): FileLock {
    const path = join(this.#layout.temporary, `${this.id}${LOCK}`)
    for (;;) {
      const lock = lockSync(path)
      // Between its creation and the lock, another process may have taken the file for a dead one's.
      if (existsSync(path)) return lock
      lock[Symbol.dispose]()
    }
  }

  #takeLeftovers(): void {
    for (const id of this.ids()) {
      if (id !== this.id) this.#takeFrom(id)
    }
  }

  #takeFrom(id: string): void {
    const path = join(this.#layout.temporary, `${id}${LOCK}`)
    if (!existsSync(path)) {
      this.#take(id)
      return
    }
    using lock = tryLock(path)
    if (lock === undefined || !existsSync(path)) return
    this.#take(id)
    unlinkSync(path)
  }

  /** What could not be removed before comes to the top: else it would lie deeper at every start. */
  #take(id: string): void {
    const folder = join(this.#layout.temporary, id)
    // None without a folder: it was never made, or another process has taken it.
    for (const name of namesIn(folder)) {
      if (name.startsWith(DEAD)) this.discard(join(folder, name))
    }
    this.discard(folder)
  }

  async #remove(path: string): Promise<void> {
    await removeTree(path)
  }
}

import { existsSync, lstatSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import {
  canonicalJson,
  digestOf,
  errnoOf,
  hexOf,
  type Json,
  Resources,
  throwIfCancelled,
} from '#core'
import { makeFolders } from '#disk'
import { storeError } from './filesystem/failure.ts'
import { type FileLock, tryLock, trySharedLock } from './filesystem/file-lock.ts'
import { touch } from './filesystem/last-use.ts'
import type { Layout } from './filesystem/layout.ts'
import type { Presence, TemporaryDirectory } from './filesystem/presence.ts'
import { type OnWait, Waiting } from './filesystem/waits.ts'

/** One directory that a step mounts. */
export interface CacheMountRequest {
  /** Equal documents mean the same directory. */
  readonly identity: Json
  /** What messages call it. */
  readonly label: string
  /**
   * `shared`: with any number of others; `locked`: alone, after waiting for the others; `private`:
   * alone and at once, another directory when the usual one is in use.
   */
  readonly sharing: 'shared' | 'private' | 'locked'
  /** What an earlier build has left in it is removed first: see `CacheMounts.open`. */
  readonly isFresh?: boolean
  /** Makes of a new, empty directory what it begins as. */
  readonly fill: (directory: string) => Promise<void>
}

/** Directories of a step, its own until it is disposed of. */
export interface OpenCacheMounts extends AsyncDisposable {
  /** Absolute; in the order of the requests. */
  readonly paths: readonly string[]
}

/** What the mount shows; beside it lies what the directory is named after. */
const DATA = 'data'
const ABOUT = 'about.json'
const POLL_MILLISECONDS = { first: 2, last: 50 }

/**
 * Directories that outlive builds and belong to no layer. The first instance of each is
 * `mounts/<name>.0`; there are more when private ones were wanted at the same time. A step with an
 * instance holds a lock on the file beside it, which the kernel drops when its process ends.
 */
export class CacheMounts {
  readonly #layout: Layout
  readonly #presence: Presence
  readonly #onWait: OnWait | undefined
  /** The directories that were emptied since this store was opened. */
  readonly #emptied = new Map<string, Promise<void>>()

  constructor(layout: Layout, presence: Presence, onWait: OnWait | undefined) {
    this.#onWait = onWait
    this.#layout = layout
    this.#presence = presence
  }

  /**
   * Waits for all of them. One that is to be fresh is emptied unless that was done since the store was
   * opened: a build empties a directory once, however many of its steps ask for it. A private one is
   * the directory that the step gets, all others are the usual instance, once no step uses it.
   * @throws {TsbuildError} CANCELLED, NO_SPACE, PERMISSION_DENIED, what `fill` throws
   */
  async open(
    requests: readonly CacheMountRequest[],
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<OpenCacheMounts> {
    await using locks = new Resources()
    const named = requests.map((request) => {
      const name = hexOf(digestOf(canonicalJson(request.identity)))
      return { ...request, name, instance: 0 }
    })
    // While nothing is held: two steps that empty what the other one uses would wait for each other.
    for (const one of inLockOrder(named.filter(({ isFresh }) => isFresh === true))) {
      await this.#emptyOnce(one, options.signal)
    }
    for (const { name, label, sharing } of inLockOrder(named)) {
      const take = SHARED_OR_ALONE[sharing]
      const path = this.#path(name, 0)
      locks.use(await this.#wait(async () => take(`${path}.lock`), label, options.signal))
    }
    // Last, because they never wait: no two steps can wait for each other.
    for (const request of named) {
      if (request.sharing !== 'private') continue
      const { instance, lock } = this.#takeFree(request.name)
      request.instance = instance
      locks.use(lock)
      if (request.isFresh === true) await this.#emptyOwn(this.#path(request.name, instance))
    }
    const paths: string[] = []
    for (const request of named) paths.push(await this.#ensure(request))
    const held = locks.move()
    return { paths, [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() }
  }

  /**
   * Removes an instance with all that it holds, unless a step uses it: then nothing is changed, and the
   * answer is false. A process that is killed meanwhile leaves all of it, or garbage in its temporary
   * folder.
   */
  async #empty(path: string): Promise<boolean> {
    let aside: TemporaryDirectory
    {
      using lock = tryLock(`${path}.lock`)
      if (lock === undefined) return false
      aside = this.#moveAside(path)
    }
    // Takes longer, and the next step need not wait for it.
    await aside[Symbol.asyncDispose]()
    return true
  }

  #path(name: string, instance: number): string {
    return join(this.#layout.mounts, `${name}.${instance}`)
  }

  #emptyOnce(
    { name, label }: Pick<CacheMountRequest & NamedInstance, 'name' | 'label'>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const path = this.#path(name, 0)
    const known = this.#emptied.get(path)
    if (known !== undefined) return known
    const take = async () => ((await this.#empty(path)) ? path : undefined)
    const emptied = this.#wait(take, label, signal).then(() => undefined)
    this.#emptied.set(path, emptied)
    return emptied
  }

  /** Empties an instance that the step holds. */
  async #emptyOwn(path: string): Promise<void> {
    if (this.#emptied.has(path)) return
    this.#emptied.set(path, Promise.resolve())
    await this.#moveAside(path)[Symbol.asyncDispose]()
  }

  /** Out of the way at once; removed with the folder that it is in. */
  #moveAside(path: string): TemporaryDirectory {
    const aside = this.#presence.temporary()
    try {
      renameSync(path, join(aside.path, 'mount'))
    } catch (cause) {
      if (errnoOf(cause) !== 'ENOENT') throw storeError('empty a cache mount', cause)
    }
    return aside
  }

  /** Asks again and again until there is an answer. */
  async #wait<T>(
    take: () => Promise<T | undefined>,
    label: string,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const waiting = new Waiting(this.#onWait)
    const { first, last } = POLL_MILLISECONDS
    return waiting.during(async () => {
      for (let pause = first; ; pause = Math.min(pause * 1.5, last)) {
        throwIfCancelled(signal, 'wait for a cache mount')
        const taken = await take()
        if (taken !== undefined) return taken
        waiting.begin(`the cache mount ${label}, which another step uses`)
        await setTimeout(pause * (0.75 + Math.random() / 2))
      }
    })
  }

  #takeFree(name: string): { readonly instance: number; readonly lock: FileLock } {
    for (let instance = 0; ; instance++) {
      const lock = tryLock(`${this.#path(name, instance)}.lock`)
      if (lock !== undefined) return { instance, lock }
    }
  }

  /** @returns the directory to mount; made complete elsewhere when it is new */
  async #ensure(request: CacheMountRequest & NamedInstance): Promise<string> {
    const path = this.#path(request.name, request.instance)
    if (existsSync(join(path, DATA))) {
      touch(join(path, ABOUT))
      return join(path, DATA)
    }
    await using temporary = this.#presence.temporary()
    const made = join(temporary.path, 'mount')
    try {
      makeFolders(join(made, DATA), 0o755)
      writeFileSync(join(made, ABOUT), `${canonicalJson(request.identity)}\n`)
      await request.fill(join(made, DATA))
      renameSync(made, path)
    } catch (cause) {
      // Another process was faster; a folder that is not empty is never replaced.
      const isThere = errnoOf(cause) === 'ENOTEMPTY' || errnoOf(cause) === 'EEXIST'
      if (!isThere || !lstatSync(join(path, DATA)).isDirectory()) {
        throw storeError('make a cache mount', cause)
      }
    }
    return join(path, DATA)
  }
}

interface NamedInstance {
  /** Of the directory. */
  readonly name: string
  readonly instance: number
}

const SHARED_OR_ALONE = { shared: trySharedLock, locked: tryLock, private: tryLock } as const

/** The locks on usual instances: each once, and by name, so that no two steps wait for each other. */
function inLockOrder(
  requests: readonly (CacheMountRequest & NamedInstance)[],
): readonly Pick<CacheMountRequest & NamedInstance, 'name' | 'label' | 'sharing'>[] {
  const wanted = new Map<string, CacheMountRequest & NamedInstance>()
  for (const request of requests) {
    const isLocked = wanted.get(request.name)?.sharing === 'locked'
    if (request.sharing !== 'private' && !isLocked) wanted.set(request.name, request)
  }
  return [...wanted.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

import { existsSync, lstatSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
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
import { storeError } from './filesystem/failure.ts'
import { type FileLock, tryLock, trySharedLock } from './filesystem/file-lock.ts'
import { touch } from './filesystem/last-use.ts'
import type { Layout } from './filesystem/layout.ts'
import type { Presence } from './filesystem/presence.ts'
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

  constructor(layout: Layout, presence: Presence, onWait: OnWait | undefined) {
    this.#onWait = onWait
    this.#layout = layout
    this.#presence = presence
  }

  /**
   * Waits for all of them.
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
    for (const { name, label, sharing } of inLockOrder(named)) {
      const waiting = new Waiting(this.#onWait)
      const reason = `the cache mount ${label}, which another step uses`
      const take = SHARED_OR_ALONE[sharing]
      locks.use(
        await waiting.during(() =>
          this.#wait(() => take(`${this.#path(name, 0)}.lock`), {
            onWait: () => waiting.begin(reason),
            signal: options.signal,
          }),
        ),
      )
    }
    // Last, because they never wait: no two steps can wait for each other.
    for (const request of named) {
      if (request.sharing !== 'private') continue
      const { instance, lock } = this.#takeFree(request.name)
      request.instance = instance
      locks.use(lock)
    }
    const paths: string[] = []
    for (const request of named) paths.push(await this.#ensure(request))
    const held = locks.move()
    return { paths, [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() }
  }

  #path(name: string, instance: number): string {
    return join(this.#layout.mounts, `${name}.${instance}`)
  }

  async #wait(
    take: () => FileLock | undefined,
    { onWait, signal }: { readonly onWait: () => void; readonly signal: AbortSignal | undefined },
  ): Promise<FileLock> {
    const { first, last } = POLL_MILLISECONDS
    for (let pause = first; ; pause = Math.min(pause * 1.5, last)) {
      throwIfCancelled(signal, 'wait for a cache mount')
      const lock = take()
      if (lock !== undefined) return lock
      onWait()
      await setTimeout(pause * (0.75 + Math.random() / 2))
    }
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
      mkdirSync(join(made, DATA), { recursive: true, mode: 0o755 })
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

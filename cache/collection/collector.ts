import { throwIfCancelled } from '#core'
import { lock, tryLock } from '../filesystem/file-lock.ts'
import { bytesToKeep, freeBytes, noteSize, type SpaceLimits } from '../size-note.ts'
import type { Store, StoreParts } from '../store.ts'
import { type CollectionRequest, chooseItems } from './choice.ts'
import { Documents, hexIn } from './documents.ts'
import { estimateUse } from './estimate.ts'
import { FolderSizes } from './folder-sizes.ts'
import { readInventory } from './inventory.ts'
import { type StoreItem, sumOfBytes } from './store-item.ts'
import { sweep } from './sweep.ts'

/** How a collection is done. */
export interface CollectionOptions {
  /** When it aborts, nothing more is begun, and what was measured so far counts. */
  readonly signal?: AbortSignal | undefined
  /** What is there is measured `anew`, or as it was `last`, where that cannot have changed. Default: `anew`. */
  readonly sizes?: 'anew' | 'last' | undefined
}

/** Knows what is in a store and what it takes, and removes what nobody needs. See docs/adr/0049 */
export class Collector {
  readonly #parts: StoreParts
  readonly #documents: Documents
  readonly #sizes: FolderSizes

  constructor({ parts }: Pick<Store, 'parts'>) {
    this.#parts = parts
    this.#documents = new Documents(parts.layout)
    this.#sizes = new FolderSizes(parts.layout, parts.database)
  }

  /**
   * Everything in the store, with what it takes on the disk now.
   * @throws {TsbuildError} STORE_INVALID, CANCELLED
   */
  async items({ signal, sizes }: CollectionOptions = {}): Promise<readonly StoreItem[]> {
    const items = await this.#measured(signal, (item, path) =>
      sizes === 'last' ? this.#lastMeasured(item, path) : undefined,
    )
    throwIfCancelled(signal, 'measure the store')
    return items
  }

  /**
   * Ids of what only images with these names have, as items or after the names are gone. An image without a name
   * is known by its digest.
   * @throws {TsbuildError} STORE_INVALID
   */
  onlyIn(names: ReadonlySet<string>): ReadonlySet<string> {
    const targets = this.#parts.images.targets()
    const digests = targets.flatMap(({ name, digest }) =>
      names.has(name ?? digest) ? [digest] : [],
    )
    const blobs = Array.from(this.#documents.reachable(digests), hexIn)
    const items = readInventory(this.#parts, this.#documents)
    const layers = items.filter(
      ({ images }) => images.length > 0 && images.every((name) => names.has(name)),
    )
    return new Set([...blobs, ...layers.map(({ id }) => id)])
  }

  /**
   * Removes what is asked for, as far as nobody needs it. Waits for another process that does so.
   * @returns what is gone, in the order in which it went
   * @throws {TsbuildError} STORE_INVALID, IO_FAILED, NO_SPACE, CANCELLED
   */
  async remove(
    request: CollectionRequest,
    options: CollectionOptions = {},
  ): Promise<readonly StoreItem[]> {
    const gone = await this.#removeAlone(request, options)
    // Moved away and not removed, it would not be free.
    await this.#discarded(options)
    return gone
  }

  async #removeAlone(
    request: CollectionRequest,
    options: CollectionOptions,
  ): Promise<readonly StoreItem[]> {
    using _ = await lock(this.#parts.layout.collectionLock)
    return await this.#remove(await this.items(options), request)
  }

  /** What is left when the signal aborts, the next process removes. */
  async #discarded({ signal }: CollectionOptions): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = (): void => resolve()
    signal?.addEventListener('abort', stop, { once: true })
    await Promise.race([this.#parts.presence.discarded(), promise])
    signal?.removeEventListener('abort', stop)
    throwIfCancelled(signal, 'remove files of the store')
  }

  /**
   * Removes what is worth least, until the store is within limits; nothing that an image has, or somebody uses.
   * No work in a store that is within them by what is known of it, nor where another process does it.
   * @returns what is gone
   */
  async enforce(
    limits: SpaceLimits,
    { signal }: CollectionOptions = {},
  ): Promise<readonly StoreItem[]> {
    const { layout, database } = this.#parts
    using taken = tryLock(layout.collectionLock)
    if (taken === undefined) return []
    const estimate = estimateUse(layout, database)
    if (estimate <= bytesToKeep(estimate, limits, freeBytes(layout.root))) {
      noteSize(layout, estimate)
      return []
    }
    const items = await this.#measured(signal, (item, path) => this.#lastMeasured(item, path))
    if (signal?.aborted === true) return []
    return await this.#remove(items, { all: false, matches: () => true, limits })
  }

  async #remove(
    items: readonly StoreItem[],
    request: CollectionRequest,
  ): Promise<readonly StoreItem[]> {
    const { layout } = this.#parts
    const facts = { free: freeBytes(layout.root), now: Date.now() }
    const chosen = chooseItems(items, request, facts)
    const deps = { parts: this.#parts, documents: this.#documents }
    const gone = chosen.length === 0 ? [] : await sweep(chosen, request, deps)
    noteSize(layout, sumOfBytes(items) - sumOfBytes(gone))
    return gone
  }

  async #measured(
    signal: AbortSignal | undefined,
    lastMeasured: (item: StoreItem, path: string) => number | undefined,
  ): Promise<readonly StoreItem[]> {
    const found = readInventory(this.#parts, this.#documents)
    const items: StoreItem[] = []
    for (const item of found.filter(({ isFixed }) => !isFixed)) {
      items.push(await this.#measure(item, lastMeasured, signal))
    }
    this.#sizes.flush(items.flatMap(({ contents }) => contents.paths))
    // The database itself has grown by that.
    for (const item of found.filter(({ isFixed }) => isFixed)) {
      items.push(await this.#measure(item, () => undefined, signal))
    }
    return items
  }

  async #measure(
    item: StoreItem,
    lastMeasured: (item: StoreItem, path: string) => number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<StoreItem> {
    let { bytes } = item
    for (const path of item.contents.paths) {
      bytes += lastMeasured(item, path) ?? (await this.#sizes.measure(path, signal))
    }
    return { ...item, bytes: Math.round(bytes) }
  }

  /** The folder of a layer does not change; a cache mount does, while it is used. */
  #lastMeasured({ isMutable, isInUse, lastUsedAt }: StoreItem, path: string) {
    const known = this.#sizes.known(path)
    if (known === undefined) return undefined
    const isCurrent = !isMutable || (!isInUse && lastUsedAt < known.measured)
    return isCurrent ? known.bytes : undefined
  }
}

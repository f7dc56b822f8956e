/**
 * Persistent collections: adding entries gives a new value and leaves the old one as it is. Values that
 * were derived from one another share one store, so that adding costs only what is added. A second
 * value derived from the same one gets a copy of the store.
 */

interface Row<V> {
  /** Values with the versions of the store in which they were set, the latest last. */
  readonly values: { readonly since: number; readonly value: V }[]
}

interface Store<V> {
  readonly rows: Map<string, Row<V>>
  /** The version of the latest map that shares the store; only that one can add entries in place. */
  version: number
}

/** An immutable map with string keys, in the order in which they were first set. */
export class PersistentMap<V> implements Iterable<readonly [string, V]> {
  readonly #store: Store<V>
  readonly #version: number
  readonly size: number

  private constructor(store: Store<V>, size: number) {
    this.#store = store
    this.#version = store.version
    this.size = size
  }

  /** A map of `entries` with a store of its own; of equal keys the last one counts. */
  static of<V>(entries: Iterable<readonly [string, V]>): PersistentMap<V> {
    return new PersistentMap<V>({ rows: new Map(), version: 0 }, 0).with(entries)
  }

  /** A map with `entries` besides; a key that is there already keeps its place. */
  with(entries: Iterable<readonly [string, V]>): PersistentMap<V> {
    if (this.#store.version !== this.#version) return PersistentMap.of(this).with(entries)
    const { rows } = this.#store
    const since = ++this.#store.version
    let added = 0
    for (const [key, value] of entries) {
      const row = rows.get(key)
      if (row !== undefined) row.values.push({ since, value })
      else {
        rows.set(key, { values: [{ since, value }] })
        added++
      }
    }
    return new PersistentMap(this.#store, this.size + added)
  }

  /** The value of a key, `undefined` without one. */
  get(key: string): V | undefined {
    return this.#valueIn(this.#store.rows.get(key))
  }

  /** True when the key has a value. */
  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  [Symbol.iterator](): Iterator<readonly [string, V]> {
    const entries: (readonly [string, V])[] = []
    for (const [key, row] of this.#store.rows) {
      const value = this.#valueIn(row)
      // The rows behind it were added later still.
      if (value === undefined) break
      entries.push([key, value])
    }
    return entries.values()
  }

  #valueIn(row: Row<V> | undefined): V | undefined {
    if (row === undefined) return undefined
    for (let index = row.values.length - 1; index >= 0; index--) {
      const entry = row.values[index]
      if (entry !== undefined && entry.since <= this.#version) return entry.value
    }
    return undefined
  }
}

/** An immutable list that can be appended to. */
export class PersistentList<T> implements Iterable<T> {
  readonly #items: T[]
  readonly length: number

  private constructor(items: T[]) {
    this.#items = items
    this.length = items.length
  }

  /** A list of `items` with a store of its own. */
  static of<T>(items: Iterable<T>): PersistentList<T> {
    return new PersistentList([...items])
  }

  /** A list with `item` at its end. */
  add(item: T): PersistentList<T> {
    const items = this.#items.length === this.length ? this.#items : [...this]
    items.push(item)
    return new PersistentList(items)
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items.slice(0, this.length).values()
  }
}

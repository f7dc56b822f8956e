/**
 * What a stage adds up, instruction by instruction. Nothing here ever changes for who holds it, yet
 * growing costs only what is added: what grows from one another shares one store, of which each sees
 * what was there when it was made.
 */

interface Row<V> {
  /** Values with the versions of the store that they came with, the latest last. */
  readonly values: { readonly since: number; readonly value: V }[]
}

interface Store<V> {
  readonly rows: Map<string, Row<V>>
  /** Of the latest map that shares the store; only that one can grow in place. */
  version: number
}

/** A map in the order in which its keys were first set. */
export class GrowingMap<V> implements Iterable<readonly [string, V]> {
  readonly #store: Store<V>
  readonly #version: number
  readonly size: number

  private constructor(store: Store<V>, size: number) {
    this.#store = store
    this.#version = store.version
    this.size = size
  }

  static of<V>(entries: Iterable<readonly [string, V]>): GrowingMap<V> {
    return new GrowingMap<V>({ rows: new Map(), version: 0 }, 0).with(entries)
  }

  /** The same map with more entries; a key that is there keeps its place. */
  with(entries: Iterable<readonly [string, V]>): GrowingMap<V> {
    if (this.#store.version !== this.#version) return GrowingMap.of(this).with(entries)
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
    return new GrowingMap(this.#store, this.size + added)
  }

  get(key: string): V | undefined {
    return this.#valueIn(this.#store.rows.get(key))
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  [Symbol.iterator](): Iterator<readonly [string, V]> {
    const entries: (readonly [string, V])[] = []
    for (const [key, row] of this.#store.rows) {
      const value = this.#valueIn(row)
      // Whatever follows was added later too.
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

/** A list that keeps what was in it when others grow from it. */
export class GrowingList<T> implements Iterable<T> {
  readonly #items: T[]
  readonly length: number

  private constructor(items: T[]) {
    this.#items = items
    this.length = items.length
  }

  static of<T>(items: Iterable<T>): GrowingList<T> {
    return new GrowingList([...items])
  }

  add(item: T): GrowingList<T> {
    const items = this.#items.length === this.length ? this.#items : [...this]
    items.push(item)
    return new GrowingList(items)
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items.slice(0, this.length).values()
  }
}

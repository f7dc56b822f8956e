import { type Name, parentOf } from '#core'

/**
 * The directories that applying a layer has made, by their real paths, and which of them hide the layers
 * below.
 */
export class KnownDirectories {
  /** True when the layers below are hidden. */
  readonly #hidden = new Map<Name, boolean>([['' as Name, false]])

  /** Whether the layer has made a directory at `path`. */
  has(path: Name): boolean {
    return this.#hidden.has(path)
  }

  /** Adds a directory. In a hidden one it is hidden, too. */
  add(path: Name): void {
    if (!this.#hidden.has(path)) this.#hidden.set(path, this.isHidden(parentOf(path)))
  }

  /** Whether the layers below are hidden in `path`. */
  isHidden(path: Name): boolean {
    return this.#hidden.get(path) ?? false
  }

  /** Hides the layers below in `path` and everywhere below it. */
  hide(path: Name): void {
    for (const known of this.#within(path)) this.#hidden.set(known, true)
  }

  /** Removes `path` and everything below it. */
  forget(path: Name): void {
    for (const known of this.#within(path)) this.#hidden.delete(known)
  }

  #within(path: Name): Name[] {
    const start = path === '' ? '' : `${path}/`
    return [...this.#hidden.keys()].filter((known) => known === path || known.startsWith(start))
  }
}

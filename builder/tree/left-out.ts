import { type Stats, statSync } from 'node:fs'
import { errnoOf, type Name } from '#core'

/**
 * A folder that is left out of a tree with everything in it. It is recognized by its device and inode,
 * since a bind mount or another path may lead to it.
 */
export class LeftOut {
  readonly #device: number
  readonly #inode: number
  /** For folders that were looked up: whether they are it or lie in it. */
  readonly #known = new Map<Name, boolean>()

  private constructor({ dev, ino }: Stats) {
    this.#device = dev
    this.#inode = ino
  }

  /** `undefined` when the folder does not exist, or this user cannot reach it. */
  static folder(path: string | undefined): LeftOut | undefined {
    try {
      const stats = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false })
      return stats?.isDirectory() === true ? new LeftOut(stats) : undefined
    } catch (cause) {
      if (errnoOf(cause) === undefined) throw cause
      return undefined
    }
  }

  isItself(stats: Stats): boolean {
    return stats.ino === this.#inode && stats.dev === this.#device && stats.isDirectory()
  }

  /**
   * Whether the folder at `path` of the tree is it, or lies in it; the root of the tree never does.
   * @param look at what is at a path
   */
  holds(path: Name, look: (path: Name) => Stats | undefined): boolean {
    if (path === '') return false
    // From the nearest folder that is known, which in a walk is the one above.
    let end = path.length
    while (end > 0 && !this.#known.has(path.slice(0, end) as Name)) {
      end = Math.max(0, path.lastIndexOf('/', end - 1))
    }
    let isIn = this.#known.get(path.slice(0, end) as Name) === true
    while (end < path.length) {
      const next = path.indexOf('/', end === 0 ? 0 : end + 1)
      end = next < 0 ? path.length : next
      const folder = path.slice(0, end) as Name
      if (!isIn) {
        const stats = look(folder)
        isIn = stats !== undefined && this.isItself(stats)
      }
      this.#known.set(folder, isIn)
    }
    return isIn
  }
}

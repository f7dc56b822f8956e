import { joinName, type Name, textOfName } from '#core'

/** What `.dockerignore` decides. Paths are text, relative to the root, without leading slash. */
export interface IgnoreMatcher {
  isIgnored(path: string): boolean
  /** False only when nothing below the ignored directory `path` can be included again. */
  mayContainIncluded(path: string): boolean
}

/** The tree underneath, with what is ignored. */
export interface DirectoryLister {
  names(path: Name): readonly Name[]
  isDirectory(path: Name): boolean
}

/**
 * Which paths of a context exist. An ignored directory exists when something below it is included
 * again by an exception, and only then is it looked into.
 */
export class Visibility {
  readonly #ignore: IgnoreMatcher
  readonly #tree: DirectoryLister
  readonly #ignored = new Map<Name, boolean>()
  readonly #hidden = new Map<Name, boolean>()

  constructor(ignore: IgnoreMatcher, tree: DirectoryLister) {
    this.#ignore = ignore
    this.#tree = tree
  }

  /** `isDirectory` is asked only when the answer depends on it. */
  isHidden(path: Name, isDirectory: () => boolean): boolean {
    if (path === '' || !this.#isIgnored(path)) return false
    if (!this.#ignore.mayContainIncluded(textOfName(path)) || !isDirectory()) return true
    return this.#isEmpty(path)
  }

  #isIgnored(path: Name): boolean {
    const known = this.#ignored.get(path)
    if (known !== undefined) return known
    const ignored = this.#ignore.isIgnored(textOfName(path))
    this.#ignored.set(path, ignored)
    return ignored
  }

  #isEmpty(path: Name): boolean {
    const known = this.#hidden.get(path)
    if (known !== undefined) return known
    const hidden = this.#tree.names(path).every((name) => {
      const child = joinName(path, name)
      return this.isHidden(child, () => this.#tree.isDirectory(child))
    })
    this.#hidden.set(path, hidden)
    return hidden
  }
}

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

  /** `isDirectory` is called only when the result depends on it. */
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

  /**
   * Whether nothing in an ignored directory is included. Keeps the directories on the way in a list: a
   * context may be deeper than the call stack.
   */
  #isEmpty(top: Name): boolean {
    const known = this.#hidden.get(top)
    if (known !== undefined) return known
    const stack = [this.#open(top)]
    for (let last = stack.at(-1); last !== undefined; last = stack.at(-1)) {
      const next = last.names.next()
      if (next.done) {
        this.#hidden.set(last.path, true)
        stack.pop()
        continue
      }
      const path = joinName(last.path, next.value)
      const verdict = this.#look(path)
      if (verdict === 'open') stack.push(this.#open(path))
      if (verdict !== 'shown') continue
      // So is everything on the way to it.
      for (const { path: above } of stack) this.#hidden.set(above, false)
      return false
    }
    return true
  }

  #open(path: Name): { readonly path: Name; readonly names: IterableIterator<Name> } {
    return { path, names: this.#tree.names(path).values() }
  }

  /** `open`: an ignored directory, in which something may be included. */
  #look(path: Name): 'shown' | 'hidden' | 'open' {
    if (!this.#isIgnored(path)) return 'shown'
    const isLeaf =
      !this.#ignore.mayContainIncluded(textOfName(path)) || !this.#tree.isDirectory(path)
    if (isLeaf) return 'hidden'
    const known = this.#hidden.get(path)
    if (known === undefined) return 'open'
    return known ? 'hidden' : 'shown'
  }
}

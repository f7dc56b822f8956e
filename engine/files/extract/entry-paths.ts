import { componentsOf, invalidEntryError, MAX_LINKS } from '#builder/layer'
import { type FileStat, joinName, type Name, parentOf } from '#core'
import type { RootTree } from '../root/root-tree.ts'

/** Beyond, every link counts as one of the archive: what is remembered is bounded. */
const MOST_LINKS = 100_000

/** Where entries go. */
export interface EntryPathsOptions {
  /** Real path of the directory that the archive is unpacked to. */
  readonly directory: Name
  /** Makes a directory that is missing. */
  readonly make: (path: Name) => void
}

/** What happens where a directory is missing. */
type Missing = 'made' | 'as it is'

/**
 * Finds the real directories of entries. Links are followed as in the container, but one that the archive itself has
 * brought never leads out of the directory that it is unpacked to: whoever unpacks an archive into a directory relies on
 * the rest to stay as it is.
 */
export class EntryPaths {
  readonly #tree: RootTree
  readonly #options: EntryPathsOptions
  readonly #links = new Set<Name>()
  /** The last directory, as an archive names it, and its real path: entries of one come together. */
  #last: readonly [path: Name, real: Name]

  constructor(tree: RootTree, options: EntryPathsOptions) {
    this.#tree = tree
    this.#options = options
    this.#last = ['' as Name, options.directory]
  }

  /** Remembers a link of the archive by its real path. */
  noteLink(place: Name): void {
    if (this.#links.size <= MOST_LINKS) this.#links.add(place)
  }

  /** Drops what is known of directories, since what is at a real path is replaced. */
  forget(place: Name): void {
    this.#links.delete(place)
    this.#last = ['' as Name, this.#options.directory]
  }

  /**
   * The real path of a directory that an archive names `path`.
   * @throws {TsbuildError} LAYER_INVALID
   */
  realDirectory(path: Name, missing: Missing = 'made'): Name {
    const [known, real] = this.#last
    if (path === known) return real
    const found = this.#walk(path, missing)
    this.#last = [path, found]
    return found
  }

  #walk(path: Name, missing: Missing): Name {
    const rest = componentsOf(path).reverse()
    let current = this.#options.directory
    let links = 0
    let isLed = false
    for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
      const next = name === '..' ? parentOf(current) : joinName(current, name)
      const found = next === '' ? undefined : this.#tree.lstat(next)
      if (found?.type !== 'symlink') {
        const isThere = next === '' || found?.type === 'directory'
        if (!isThere && isLed) this.#checkLed(path, next)
        if (!isThere) this.#makeUp(next, found, missing)
        current = next
        continue
      }
      links += 1
      if (links > MAX_LINKS) throw invalidEntryError(path, 'too many levels of symbolic links')
      isLed ||= this.#links.size > MOST_LINKS || this.#links.has(next)
      const target = this.#tree.readlink(next)
      if (target.startsWith('/')) current = '' as Name
      rest.push(...componentsOf(target).reverse())
    }
    if (isLed) this.#checkLed(path, current)
    return current
  }

  #checkLed(path: Name, real: Name): void {
    const { directory } = this.#options
    if (directory === '' || real === directory || real.startsWith(`${directory}/`)) return
    throw invalidEntryError(
      path,
      'a link of the archive leads out of the directory it is unpacked to',
    )
  }

  #makeUp(path: Name, found: FileStat | undefined, missing: Missing): void {
    if (found !== undefined) {
      throw invalidEntryError(path, 'something below it, but it is not a directory')
    }
    if (missing === 'as it is') throw invalidEntryError(path, 'it is not there')
    this.#options.make(path)
  }
}

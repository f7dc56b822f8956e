import { chmodSync, readdirSync } from 'node:fs'
import {
  type DirectoryWriter,
  fileXattrs,
  type LayerFile,
  type LayerTree,
  type StackTree,
  writeError,
} from '#builder/layer'
import { BARE_DIRECTORY, type RootedDirectory, removeXattr } from '#builder/linux'
import { checkpoint, type FileStat, joinName, type Name } from '#core'
import { type Kept, keptNames, keptWhole } from './kept-paths.ts'

const OWNER_MAY = 0o700

/** A path of a root, and what is kept of it; `undefined`: nothing. */
export interface KeptPath {
  readonly path: Name
  readonly kept: Kept | undefined
}

/** Removes what is at a path, except for what is kept and the directories that lead to it. */
export function removeOthersAt(root: RootedDirectory, at: KeptPath): void {
  const left = [at]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { path, kept } = next
    if (kept === keptWhole) continue
    if (kept === undefined || root.lstat(path)?.isDirectory() !== true) {
      if (root.lstat(path) !== undefined) root.remove(path)
      continue
    }
    clearFolder(root, path)
    for (const name of namesIn(root, path)) {
      left.push({ path: joinName(path, name), kept: kept.get(name) })
    }
  }
}

/**
 * Readies a directory that stays for what is made in it: without attributes, some of which would be handed
 * down, and with the right to write to it. Its own attributes are set when it is complete.
 */
export function clearFolder(root: RootedDirectory, path: Name): void {
  const place = root.place(path)
  for (const name of fileXattrs(place).keys()) removeXattr(place, name)
  const mode = root.lstat(path)?.mode ?? OWNER_MAY
  if ((mode & OWNER_MAY) !== OWNER_MAY) chmodSync(root.inside(path), OWNER_MAY)
}

/** What a directory has, in no order. */
export function namesIn(root: RootedDirectory, path: Name): readonly Name[] {
  checkpoint()
  return readdirSync(root.inside(path), 'latin1') as Name[]
}

/** Where a stack is shown. */
export interface PlacementTarget {
  readonly writer: DirectoryWriter
  readonly owners: 'keep' | 'drop'
}

/** Makes what a stack has, as plain files. */
export class Placement {
  readonly #tree: StackTree
  readonly #writer: DirectoryWriter
  readonly #owners: 'keep' | 'drop'

  constructor(tree: StackTree, { writer, owners }: PlacementTarget) {
    this.#tree = tree
    this.#writer = writer
    this.#owners = owners
  }

  /** Makes what the layers have at a path, with everything below; nothing may be there. */
  place(at: KeptPath): void {
    const left = [at]
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const { path, kept } = next
      const found = this.#tree.find(path)
      if (kept !== undefined && !this.#isShown(next, found?.stat)) {
        if (kept === keptWhole || !this.#isDirectory(path)) continue
        this.#writer.makeDirectory(path, { stat: BARE_DIRECTORY })
        left.push(...ledBy(next, []))
      } else if (found !== undefined) {
        this.#make(path, found)
        if (found.stat.type === 'directory') left.push(...this.#placeFiles(next))
      }
    }
  }

  /** Most files need not be looked up one by one. @returns what else is in the directory */
  #placeFiles({ path, kept }: KeptPath): readonly KeptPath[] {
    checkpoint()
    const others: KeptPath[] = []
    const list = this.#tree.list(path)
    for (const listed of list) {
      const child = { path: joinName(path, listed.name), kept: kept?.get(listed.name) }
      if (listed.isPlainFile && child.kept === undefined) this.#copyFile(child.path, listed)
      else others.push(child)
    }
    if (kept === undefined) return others
    return [
      ...others,
      ...ledBy(
        { path, kept },
        list.map(({ name }) => name),
      ),
    ]
  }

  /** Gives a directory that stays the attributes that it has in the layers. */
  placeFolder(path: Name): void {
    const found = this.#tree.find(path)
    if (found !== undefined) this.#make(path, found)
    else this.#writer.makeDirectory(path, { stat: BARE_DIRECTORY })
  }

  #make(path: Name, { layer, stat }: LayerFile): void {
    if (stat.type === 'file') this.#copyFile(path, { layer, stat })
    else if (stat.type !== 'socket') {
      try {
        const attributes = { stat, xattrs: layer.allXattrs(path) }
        if (stat.type === 'directory') this.#writer.makeDirectory(path, attributes)
        else if (stat.type !== 'symlink') this.#writer.makeSpecial(path, stat.type, attributes)
        else this.#writer.makeSymlink(path, layer.readlink(path), attributes)
      } catch (cause) {
        throw writeError(path, cause)
      }
    }
  }

  /**
   * Every name is a file for itself: overlayfs, too, parts names before a change.
   * @param source `stat` is given when the file itself may have other rights
   */
  #copyFile(path: Name, { layer, stat }: CopiedSource): void {
    const slash = path.lastIndexOf('/')
    const parent = path.slice(0, Math.max(slash, 0)) as Name
    const name = path.slice(slash + 1) as Name
    const directory = this.#writer.root.directory(parent)
    if (directory === undefined) throw new Error(`${parent} is not a directory`)
    const rights = stat === undefined ? { owners: this.#owners } : { owners: this.#owners, stat }
    try {
      const hasXattrs = layer.copyFile(path, { directory, name }, rights)
      if (hasXattrs || layer.hasKeptAttributes) {
        this.#writer.setXattrs(path, layer.allXattrs(path))
      }
    } catch (cause) {
      throw writeError(path, cause)
    }
  }

  /** Paths of the layers that are hidden by what is kept, or by the directories that lead to it. */
  hiddenBy(kept: Kept): readonly Name[] {
    const hidden: Name[] = []
    const left: KeptPath[] = [{ path: '' as Name, kept }]
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const stat = this.#tree.lstat(next.path)
      if (stat === undefined) continue
      if (next.kept !== keptWhole && this.#isShown(next, stat)) {
        left.push(...ledBy(next, []))
      } else hidden.push(next.path)
    }
    return hidden
  }

  /** Whether a path that leads to what is kept is what the layers have there. Kept paths need not exist. */
  #isShown({ path, kept }: KeptPath, stat: FileStat | undefined): boolean {
    if (kept === keptWhole) return false
    return stat !== undefined && (stat.type === 'directory' || !this.#isDirectory(path))
  }

  #isDirectory(path: Name): boolean {
    return this.#writer.root.lstat(path)?.isDirectory() === true
  }
}

/** A file of a layer. */
interface CopiedSource {
  readonly layer: LayerTree
  readonly stat?: FileStat
}

/** What leads to something that is kept, and that has none of the names. */
function ledBy({ path, kept }: KeptPath, names: readonly Name[]): readonly KeptPath[] {
  const others = [...keptNames(kept)].filter(([name]) => !names.includes(name))
  return others.map(([name, below]) => ({ path: joinName(path, name), kept: below }))
}

import type { CopiedRights, NameIn } from '#builder/linux'
import type { FileStat, Name, Tree } from '#core'

/** An entry of a directory, with its type; what is none of these may be a whiteout. */
export interface LayerEntry {
  readonly name: string
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
  isFIFO(): boolean
  isBlockDevice(): boolean
}

/** One layer in overlay form, without interpretation: whiteouts are character devices. */
export interface LayerTree extends Tree {
  /** Like `readdir` with types, in any order. */
  entries(path: Name): readonly LayerEntry[]
  /** Whether a directory hides the layers below. */
  isOpaque(path: Name): boolean
  /** All attributes that a container sees, including those that are never in a layer's tar. */
  allXattrs(path: Name): ReadonlyMap<string, Buffer>
  /** Whether more may be known of a file than its entry in a directory says. */
  readonly hasKeptAttributes: boolean
  /** As `FileCopier.copy`, from a path of this layer. */
  copyFile(path: Name, to: NameIn, rights: CopiedRights): boolean
}

/** What is at a path of a layer. */
export interface LayerFile {
  readonly layer: LayerTree
  readonly stat: FileStat
}

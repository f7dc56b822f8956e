import type { Buffer } from 'node:buffer'
import { BARE_DIRECTORY } from '#builder/linux'
import { type FileStat, type Name, parentOf } from '#core'
import { paddingAfter } from '../content/blocks.ts'
import { entryPath, invalidEntryError, meaningOf } from '../paths/entry-path.ts'
import { attributesOf } from '../tar/entry-attributes.ts'
import { readHeaders } from '../tar/read-headers.ts'
import type { TarEntry } from '../tar/tar-entry.ts'
import { type TarHandler, TarReader } from '../tar/tar-reader.ts'

/** What a layer's tar says of one path, in overlay form. Names of one file share it. */
export interface TarNode {
  stat: FileStat
  readonly xattrs: ReadonlyMap<string, Buffer> | undefined
  /** Where the content begins in the tar: of regular files. */
  readonly position: number
  /** The text of a symbolic link. */
  readonly target: Name | undefined
  /** What is in a directory, in the order of the tar. */
  readonly children: Map<Name, TarNode>
  /** A directory that hides the layers below. */
  isOpaque: boolean
  /** The root, when the tar has no entry for it. */
  readonly isImplied: boolean
}

/** All paths of a layer, the root as the empty one. */
export type TarIndex = ReadonlyMap<Name, TarNode>

/** The overlay form of a deleted name. */
const WHITEOUT: FileStat = { ...BARE_DIRECTORY, type: 'character', mode: 0 }

/**
 * Reads the names of a layer's tar, not its contents.
 * @returns `undefined` when what it means depends on the order of its entries or on the layers below: a
 *   name that is there twice, a parent without an entry, a hard link out of the layer, a file in parts
 * @throws {Error} with what is wrong with the tar
 */
export function indexTar(descriptor: number): TarIndex | undefined {
  const index = new IndexedEntries()
  const { reader } = index
  readHeaders(descriptor, reader, () => !index.isSelfContained)
  if (!index.isSelfContained) return undefined
  reader.end()
  return index.nodes
}

class IndexedEntries implements TarHandler {
  readonly nodes = new Map<Name, TarNode>()
  readonly reader = new TarReader(this)
  isSelfContained = true
  #inodes = 0

  constructor() {
    this.nodes.set('' as Name, nodeOf({ stat: BARE_DIRECTORY, isImplied: true }))
  }

  entry(entry: TarEntry): void {
    const path = entryPath(entry.name)
    const meaning = meaningOf(path)
    if (meaning.kind === 'opaque') this.#markOpaque(meaning.path)
    else if (meaning.kind === 'whiteout') this.#add(meaning.path, nodeOf({ stat: WHITEOUT }))
    else if (meaning.kind === 'file' && path === '') this.#setRoot(entry)
    else if (meaning.kind === 'file') this.#addFile(path, entry)
  }

  content(): void {
    // It is read where the node says.
  }

  /** A sparse file. */
  hole(): void {
    this.isSelfContained = false
  }

  end(): void {
    // The next entry follows.
  }

  #setRoot(entry: TarEntry): void {
    if (entry.type !== 'directory') {
      throw invalidEntryError(entry.name, 'the root must be a directory')
    }
    const { children } = this.nodes.get('' as Name) ?? {}
    const attributes = attributesOf(entry, '' as Name)
    this.nodes.set('' as Name, nodeOf({ ...attributes, ...(children && { children }) }))
  }

  #addFile(path: Name, entry: TarEntry): void {
    if (entry.type === 'hardlink') {
      this.#addLink(path, entryPath(entry.linkname))
      return
    }
    const { position, skippable } = this.reader
    const attributes = attributesOf(entry, path)
    const target = entry.type === 'symlink' ? entry.linkname : undefined
    this.#add(path, nodeOf({ ...attributes, position, target }))
    const { size } = attributes.stat
    // The content of a sparse file does not follow as it is.
    if (size > 0 && skippable !== size + paddingAfter(size)) this.isSelfContained = false
  }

  #addLink(path: Name, target: Name): void {
    const node = this.nodes.get(target)
    if (node === undefined || node.stat.type === 'directory' || node.stat === WHITEOUT) {
      this.isSelfContained = false
      return
    }
    if (node.stat.inode === '') this.#inodes += 1
    const inode = node.stat.inode || String(this.#inodes)
    node.stat = { ...node.stat, inode, nlink: node.stat.nlink + 1 }
    this.#add(path, node)
  }

  #markOpaque(path: Name): void {
    const node = this.nodes.get(path)
    if (path === '' || node?.stat.type !== 'directory') this.isSelfContained = false
    else node.isOpaque = true
  }

  #add(path: Name, node: TarNode): void {
    const parent = this.nodes.get(parentOf(path))
    if (parent?.stat.type !== 'directory' || path === '' || this.nodes.has(path)) {
      this.isSelfContained = false
      return
    }
    parent.children.set(path.slice(path.lastIndexOf('/') + 1) as Name, node)
    this.nodes.set(path, node)
  }
}

function nodeOf(facts: Pick<TarNode, 'stat'> & Partial<TarNode>): TarNode {
  const nothing = { xattrs: undefined, position: 0, target: undefined }
  return { ...nothing, children: new Map(), isOpaque: false, isImplied: false, ...facts }
}

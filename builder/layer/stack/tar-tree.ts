import { closeSync, fstatSync, openSync } from 'node:fs'
import { type CopiedRights, FileCopier, type NameIn, openPart } from '#builder/linux'
import { type FileStat, ioError, type Name } from '#core'
import { treeError } from '../overlay/raw-tree.ts'
import { quote } from '../paths/quote.ts'
import { CAPABILITY } from '../paths/whiteout.ts'
import type { LayerEntry, LayerTree } from './layer-tree.ts'
import { indexTar, type TarIndex, type TarNode } from './tar-index.ts'

const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map()
/** So many paths of tars are remembered by a thread: some 60 MB. */
const MOST_REMEMBERED = 200_000

/**
 * Whether a layer's tar says by itself what its overlay form is. If not, that depends on the order of the
 * entries or on the layers below, and only applying the layer gives it.
 * @throws {TsbuildError} IO_FAILED; {Error} with what is wrong with the tar
 */
export function isSelfContained(tar: string): boolean {
  const descriptor = openTar(tar)
  try {
    return rememberedIndex(descriptor) !== undefined
  } finally {
    closeSync(descriptor)
  }
}

/** A layer's tar in overlay form, without unpacking it; the tar must be self-contained. */
export class TarTree implements LayerTree {
  readonly hasKeptAttributes = false
  readonly #index: TarIndex
  readonly #descriptor: number
  readonly #scope: string
  readonly #path: string
  readonly #copier = new FileCopier()

  /** @param tar path of the file; `scope` is a prefix of inodes, so that those of several trees differ */
  constructor(tar: string, { scope = '' }: { readonly scope?: string } = {}) {
    this.#descriptor = openTar(tar)
    const index = rememberedIndex(this.#descriptor)
    if (index === undefined) {
      closeSync(this.#descriptor)
      throw new Error(`${tar} is not self-contained`)
    }
    this.#index = index
    this.#path = tar
    this.#scope = scope
  }

  lstat(path: Name): FileStat | undefined {
    const node = this.#index.get(path)
    // Most layers say nothing about the root: it is that of the layers below.
    const stat = node?.isImplied === true ? undefined : node?.stat
    if (stat === undefined || stat.inode === '') return stat
    return { ...stat, inode: `${this.#scope}${stat.inode}` }
  }

  readdir(path: Name): readonly Name[] {
    return [...this.#directory(path).children.keys()].sort()
  }

  entries(path: Name): readonly LayerEntry[] {
    const children = [...this.#directory(path).children]
    return children.map(([name, { stat }]) => new TarEntryType(name, stat))
  }

  readlink(path: Name): Name {
    const { target } = this.#get(path)
    if (target === undefined) throw treeError(`read ${quote(path)}`, 'not a link')
    return target
  }

  openFile(path: Name): number {
    const { stat, position } = this.#file(path)
    return openPart({ file: this.#descriptor, position, size: stat.size }, this.#path)
  }

  copyFile(path: Name, to: NameIn, { owners, stat }: CopiedRights): boolean {
    const node = this.#file(path)
    const part = { file: this.#descriptor, position: node.position, size: node.stat.size }
    this.#copier.copyPart(part, to, { owners, stat: stat ?? node.stat, mtimeMs: node.stat.mtimeMs })
    return node.xattrs !== undefined
  }

  xattrs(path: Name): ReadonlyMap<string, Buffer> {
    const value = this.#get(path).xattrs?.get(CAPABILITY)
    return value === undefined ? NO_XATTRS : new Map([[CAPABILITY, value]])
  }

  allXattrs(path: Name): ReadonlyMap<string, Buffer> {
    return this.#get(path).xattrs ?? NO_XATTRS
  }

  isOpaque(path: Name): boolean {
    return this.#index.get(path)?.isOpaque === true
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #get(path: Name): TarNode {
    const node = this.#index.get(path)
    if (node === undefined) throw treeError(`find ${quote(path)}`, 'no such file')
    return node
  }

  #directory(path: Name): TarNode {
    const node = this.#index.get(path)
    if (node?.stat.type === 'directory') return node
    throw treeError(`list ${quote(path)}`, 'not a directory')
  }

  #file(path: Name): TarNode {
    const node = this.#get(path)
    if (node.stat.type === 'file') return node
    throw treeError(`open ${quote(path)}`, 'not a regular file')
  }
}

/** The type of an entry as a directory says it. */
class TarEntryType implements LayerEntry {
  readonly name: Name
  readonly #type: FileStat['type']

  constructor(name: Name, { type }: FileStat) {
    this.name = name
    this.#type = type
  }

  isFile(): boolean {
    return this.#type === 'file'
  }

  isDirectory(): boolean {
    return this.#type === 'directory'
  }

  isSymbolicLink(): boolean {
    return this.#type === 'symlink'
  }

  isFIFO(): boolean {
    return this.#type === 'fifo'
  }

  isBlockDevice(): boolean {
    return this.#type === 'block'
  }
}

/** What tars say, by inode, size and time of change: a thread looks into the same layers again and again. */
const remembered = new Map<string, TarIndex | undefined>()
let rememberedPaths = 0

function rememberedIndex(descriptor: number): TarIndex | undefined {
  const { dev, ino, size, ctimeNs } = fstatSync(descriptor, { bigint: true })
  const key = `${dev}:${ino}:${size}:${ctimeNs}`
  if (remembered.has(key)) return remembered.get(key)
  const index = indexTar(descriptor)
  rememberedPaths += index?.size ?? 0
  if (rememberedPaths > MOST_REMEMBERED) {
    remembered.clear()
    rememberedPaths = index?.size ?? 0
  }
  remembered.set(key, index)
  return index
}

function openTar(tar: string): number {
  try {
    return openSync(tar, 'r')
  } catch (cause) {
    throw ioError(`open layer ${tar}`, cause)
  }
}

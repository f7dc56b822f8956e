import type { Buffer } from 'node:buffer'
import { closeSync, ftruncateSync, readlinkSync } from 'node:fs'
import { BARE_DIRECTORY } from '#builder/linux'
import { type FileStat, joinName, type Name, type Tree } from '#core'
import { passFile, scratchPassage } from '../content/copy-buffer.ts'
import { writeAt, writeFully } from '../content/write-all.ts'
import { type Attributes, type DirectoryWriter, writeError } from '../overlay/directory-writer.ts'
import { checkLength, entryPath, invalidEntry, meaningOf } from '../paths/entry-path.ts'
import { componentsOf, MAX_LINKS, parentOf, resolveInTree } from '../paths/resolve.ts'
import type { TarEntry } from '../tar/tar-entry.ts'
import type { TarHandler } from '../tar/tar-reader.ts'
import { attributesOf } from './entry-check.ts'
import { KnownDirectories } from './known-directories.ts'

/** Whose links are followed: those of this layer only, or those of the layers below as well. */
type Followed = 'here' | 'everywhere'

/** A file whose content is arriving. */
interface OpenFile {
  readonly path: Name
  readonly fd: number
  readonly attributes: Attributes
  /** Bytes that have arrived, or are zero. */
  position: number
  /** Ends with a hole. */
  isOpenEnded: boolean
}

export interface ApplierOptions {
  /** Whether whiteouts mean anything. */
  readonly isLayer: boolean
  /** Told of each directory that the tar itself names. */
  readonly onDirectory: (path: Name) => void
}

/**
 * Makes the entries of a tar, as they come, in an overlay-form directory. `lower` is the merged view
 * of what lies below; `undefined` when it is not known.
 */
export class EntryApplier implements TarHandler {
  entries = 0
  dependsOnLowers = false
  readonly #writer: DirectoryWriter
  readonly #lower: Tree | undefined
  readonly #options: ApplierOptions
  readonly #directories = new KnownDirectories()
  readonly #whiteouts = new Set<Name>()
  #file: OpenFile | undefined

  constructor(writer: DirectoryWriter, lower: Tree | undefined, options: ApplierOptions) {
    this.#writer = writer
    this.#lower = lower
    this.#options = options
    writer.makeDirectory('' as Name, { stat: BARE_DIRECTORY })
  }

  entry(entry: TarEntry): void {
    this.entries += 1
    try {
      this.#apply(entry)
    } catch (cause) {
      throw writeError(entry.name, cause)
    }
  }

  content(bytes: Buffer): void {
    const file = this.#file
    if (file === undefined) return
    try {
      writeAt(file.fd, bytes, file.position)
      file.position += bytes.length
      file.isOpenEnded = false
    } catch (cause) {
      throw writeError(file.path, cause)
    }
  }

  hole(length: number): void {
    if (this.#file === undefined) return
    this.#file.position += length
    this.#file.isOpenEnded = true
  }

  end(): void {
    const file = this.#file
    if (file === undefined) return
    this.#file = undefined
    try {
      if (file.isOpenEnded) ftruncateSync(file.fd, file.position)
      this.#writer.setFileAttributes(file.path, file.fd, file.attributes)
    } catch (cause) {
      throw writeError(file.path, cause)
    } finally {
      closeSync(file.fd)
    }
  }

  finish(): void {
    if (this.#directories.isHidden('' as Name)) this.#hideLowerRoot()
    this.#writer.finish()
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file.fd)
    this.#file = undefined
  }

  #apply(entry: TarEntry): void {
    const path = entryPath(entry.name)
    const meaning = this.#options.isLayer ? meaningOf(path) : ({ kind: 'file' } as const)
    switch (meaning.kind) {
      case 'skip':
        break
      case 'opaque':
        this.#markOpaque(this.#realDirectory(meaning.path))
        break
      case 'whiteout':
        this.#whiteOut(this.#realPath(meaning.path))
        break
      case 'file':
        if (path === '') this.#applyRoot(entry)
        else this.#make(entry, this.#realPath(path))
        break
    }
  }

  /**
   * An archive says nothing of where it is unpacked: like containerd, what it has of the root is left
   * out. Of a layer it is the root's, and later layers would follow one that is a link.
   */
  #applyRoot(entry: TarEntry): void {
    if (!this.#options.isLayer) return
    if (entry.type !== 'directory') throw invalidEntry(entry.name, 'the root must be a directory')
    this.#writer.makeDirectory('' as Name, attributesOf(entry, '' as Name))
  }

  #make(entry: TarEntry, path: Name): void {
    if (entry.type === 'hardlink') {
      this.#link(path, this.#linkTarget(entry, path))
      return
    }
    const attributes = attributesOf(entry, path)
    if (entry.type === 'directory') {
      this.#makeDirectory(path, attributes)
      this.#options.onDirectory(path)
      return
    }
    this.#forget(path)
    if (entry.type === 'file') {
      const fd = this.#writer.makeFile(path, attributes.stat)
      this.#file = { path, fd, attributes, position: 0, isOpenEnded: false }
    } else if (entry.type === 'symlink') {
      if (entry.linkname === '') throw invalidEntry(path, 'a symbolic link to nothing')
      this.#writer.makeSymlink(path, entry.linkname, attributes)
    } else {
      this.#writer.makeSpecial(path, entry.type, attributes)
    }
  }

  /** What it replaces in this layer had replaced, or deleted, what lies below. */
  #makeDirectory(path: Name, attributes: Attributes): void {
    const replaced = this.#writer.makeDirectory(path, attributes)
    this.#directories.add(path)
    if (replaced) this.#markOpaque(path)
    this.#whiteouts.delete(path)
  }

  /** Something else takes the place of `path`. */
  #forget(path: Name): void {
    this.#whiteouts.delete(path)
    if (!this.#directories.has(path)) return
    this.#directories.forget(path)
    for (const known of this.#whiteouts) {
      if (known.startsWith(`${path}/`)) this.#whiteouts.delete(known)
    }
  }

  /** A whiteout is about the layers below: what this layer itself has there stays. */
  #whiteOut(path: Name): void {
    if (path === '') throw invalidEntry(path, 'a whiteout of the root')
    if (this.#directories.has(path)) {
      this.#markOpaque(path)
    } else if (this.#writer.root.lstat(path) === undefined) {
      this.#writer.makeWhiteout(path)
      this.#whiteouts.add(path)
    }
  }

  #markOpaque(path: Name): void {
    // The root is done at the end: overlayfs does not look for the mark there.
    if (path !== '') this.#writer.markOpaque(path)
    this.#directories.hide(path)
  }

  #hideLowerRoot(): void {
    this.dependsOnLowers = true
    for (const name of this.#lower?.readdir('' as Name) ?? []) {
      if (this.#writer.root.lstat(name) === undefined) this.#writer.makeWhiteout(name)
    }
  }

  /** Where `path` is, once the links on the way to it are followed. */
  #realPath(path: Name, follow: Followed = 'here'): Name {
    const slash = path.lastIndexOf('/')
    if (slash < 0) return path
    const parent = this.#realDirectory(path.slice(0, slash) as Name, follow)
    return checkLength(joinName(parent, path.slice(slash + 1) as Name))
  }

  /**
   * The real path of the directory `path`, as after `chroot`, which exists here afterwards: what only
   * the layers below have is made anew with their attributes, so that the union of both looks the
   * same.
   */
  #realDirectory(path: Name, follow: Followed = 'here'): Name {
    if (this.#directories.has(path)) return path
    const rest = componentsOf(path).reverse()
    let current = '' as Name
    let links = 0
    for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
      const next = name === '..' ? parentOf(current) : joinName(current, name)
      const target = this.#directories.has(next) ? undefined : this.#enter(next, follow)
      if (target === undefined) {
        current = next
        continue
      }
      links += 1
      if (links > MAX_LINKS) throw invalidEntry(path, 'too many levels of symbolic links')
      if (target.startsWith('/')) current = '' as Name
      rest.push(...componentsOf(target).reverse())
    }
    return current
  }

  /**
   * Makes sure that there is a directory at `path`, or tells the text of the link that is there. What
   * a lower layer has instead of a directory is hidden by the one that is made: the runtimes unpack a
   * layer beside the ones below, whose links they do not see.
   */
  #enter(path: Name, follow: Followed): Name | undefined {
    const here = this.#writer.root.lstat(path)
    if (here?.isSymbolicLink()) {
      return readlinkSync(this.#writer.root.place(path), 'latin1') as Name
    }
    if (here?.isDirectory()) {
      this.#directories.add(path)
      return undefined
    }
    if (here !== undefined && !this.#whiteouts.has(path)) {
      throw invalidEntry(path, 'something below it, but it is no directory')
    }
    const below = here === undefined ? this.#lstatBelow(path) : undefined
    if (below?.type === 'symlink' && follow === 'everywhere') return this.#lower?.readlink(path)
    this.#makeDirectory(path, { stat: this.#asDirectory(path, below) })
    if (below !== undefined && below.type !== 'directory') this.#directories.hide(path)
    return undefined
  }

  /** The attributes that a directory at `path` gets: a link gives those of what it leads to. */
  #asDirectory(path: Name, below: FileStat | undefined): FileStat {
    const lower = this.#lower
    const isLink = below?.type === 'symlink' && lower !== undefined
    const end = isLink ? lower.lstat(resolveInTree(lower, path, { followLast: true })) : below
    return end?.type === 'directory' ? end : BARE_DIRECTORY
  }

  /** What the layers below show at `path` through this one. */
  #lstatBelow(path: Name): FileStat | undefined {
    if (this.#directories.isHidden(parentOf(path))) return undefined
    this.dependsOnLowers = true
    return this.#lower?.lstat(path)
  }

  /** The real path of an existing file; `undefined` when it cannot be known without lower layers. */
  #linkTarget(entry: TarEntry, path: Name): Name | undefined {
    const target = this.#realPath(entryPath(entry.linkname), 'everywhere')
    if (target === path) throw invalidEntry(path, 'a hard link to itself')
    const here = this.#writer.root.lstat(target)
    if (here !== undefined) {
      if (!here.isDirectory() && !this.#whiteouts.has(target)) return target
      throw invalidEntry(path, 'a hard link to a directory or deleted file')
    }
    const below = this.#lstatBelow(target)
    if (below === undefined && this.#lower === undefined) return undefined
    if (below === undefined || below.type === 'directory') {
      throw invalidEntry(path, 'a hard link to a file that is not there')
    }
    this.#copyUp(target, below)
    return target
  }

  #link(path: Name, target: Name | undefined): void {
    if (target === undefined) return
    this.#forget(path)
    this.#writer.makeHardlink(path, target)
  }

  /** As overlayfs does before a file of a lower layer gets another name. */
  #copyUp(path: Name, stat: FileStat): void {
    const lower = this.#lower
    if (lower === undefined) return
    if (stat.type === 'symlink') {
      this.#writer.makeSymlink(path, lower.readlink(path), { stat })
      return
    }
    if (stat.type === 'character' || stat.type === 'block' || stat.type === 'fifo') {
      this.#writer.makeSpecial(path, stat.type, { stat })
      return
    }
    const from = lower.openFile(path)
    const to = this.#writer.makeFile(path, stat)
    try {
      passFile({ fd: from, path, size: stat.size }, scratchPassage(), (bytes, start, end) => {
        writeFully(to, bytes, start, end)
      })
      this.#writer.setFileAttributes(path, to, { stat, xattrs: lower.xattrs(path) })
    } finally {
      closeSync(from)
      closeSync(to)
    }
  }
}

import type { Buffer } from 'node:buffer'
import { readlinkSync } from 'node:fs'
import { BARE_DIRECTORY } from '#builder/linux'
import { type FileStat, joinName, type Name, parentOf, type Tree, TsbuildError } from '#core'
import type { Attributes, DirectoryWriter } from '../overlay/directory-writer.ts'
import { writeError } from '../overlay/write-error.ts'
import { checkLength, entryPath, invalidEntryError, meaningOf } from '../paths/entry-path.ts'
import { componentsOf, MAX_LINKS, resolveInTree } from '../paths/resolve.ts'
import { attributesOf } from '../tar/entry-attributes.ts'
import type { TarEntry } from '../tar/tar-entry.ts'
import type { TarHandler } from '../tar/tar-reader.ts'
import { copyUp } from './copy-up.ts'
import { EntryFile } from './entry-file.ts'
import { KnownDirectories } from './known-directories.ts'

/** Which links are followed: those of this layer only, or those of the layers below as well. */
type LinkScope = 'here' | 'everywhere'

/** How entries are applied. */
export interface ApplierOptions {
  /** Whether whiteouts have a meaning. */
  readonly isLayer: boolean
  /** Called for each directory that is an entry. */
  readonly onDirectory: (path: Name) => void
}

/**
 * Makes the entries of a tar in an overlay-form directory, in their order. `lower` is the merged view of
 * the layers below; `undefined` when it is not available yet.
 */
export class EntryApplier implements TarHandler {
  /** See `AppliedLayer`. */
  dependsOnLowers = false
  readonly #writer: DirectoryWriter
  readonly #lower: Tree | undefined
  readonly #options: ApplierOptions
  readonly #directories = new KnownDirectories()
  readonly #whiteouts = new Set<Name>()
  #file: EntryFile | undefined

  constructor(writer: DirectoryWriter, lower: Tree | undefined, options: ApplierOptions) {
    this.#writer = writer
    this.#lower = lower
    this.#options = options
    writer.makeDirectory('' as Name, { stat: BARE_DIRECTORY })
  }

  entry(entry: TarEntry): void {
    try {
      this.#apply(entry)
    } catch (cause) {
      throw writeError(entry.name, cause)
    }
  }

  content(bytes: Buffer): void {
    this.#file?.content(bytes)
  }

  hole(length: number): void {
    this.#file?.hole(length)
  }

  end(): void {
    const file = this.#file
    this.#file = undefined
    file?.end()
  }

  /** To be called after the last entry. */
  finish(): void {
    if (this.#directories.isHidden('' as Name)) this.#hideLowerRoot()
    this.#writer.finish()
  }

  /** Closes a file that is incomplete after a failure. */
  close(): void {
    this.#file?.close()
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
   * An archive does not describe the directory that it is unpacked to, so its root is ignored, as in
   * containerd. A layer's root must be a directory: later layers would follow a link.
   */
  #applyRoot(entry: TarEntry): void {
    if (!this.#options.isLayer) return
    if (entry.type !== 'directory')
      throw invalidEntryError(entry.name, 'the root must be a directory')
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
      const options = { writer: this.#writer, failure: writeError }
      this.#file = new EntryFile(path, attributes, options)
    } else if (entry.type === 'symlink') {
      if (entry.linkname === '') throw invalidEntryError(path, 'a symbolic link to nothing')
      this.#writer.makeSymlink(path, entry.linkname, attributes)
    } else {
      this.#writer.makeSpecial(path, entry.type, attributes)
    }
  }

  /** A directory that replaces something of this layer hides the layers below, as that did. */
  #makeDirectory(path: Name, attributes: Attributes): void {
    const replaced = this.#writer.makeDirectory(path, attributes)
    this.#directories.add(path)
    if (replaced) this.#markOpaque(path)
    this.#whiteouts.delete(path)
  }

  /** Drops what is known of `path`, which is about to be replaced. */
  #forget(path: Name): void {
    this.#whiteouts.delete(path)
    if (!this.#directories.has(path)) return
    this.#directories.forget(path)
    for (const known of this.#whiteouts) {
      if (known.startsWith(`${path}/`)) this.#whiteouts.delete(known)
    }
  }

  /** A whiteout applies to the layers below: a file of this layer stays. */
  #whiteOut(path: Name): void {
    if (path === '') throw invalidEntryError(path, 'a whiteout of the root')
    if (this.#directories.has(path)) {
      this.#markOpaque(path)
    } else if (this.#writer.root.lstat(path) === undefined) {
      this.#writer.makeWhiteout(path)
      this.#whiteouts.add(path)
    }
  }

  #markOpaque(path: Name): void {
    // The root is handled by `finish`: overlayfs ignores the mark there.
    if (path !== '') this.#writer.markOpaque(path)
    this.#directories.hide(path)
  }

  #hideLowerRoot(): void {
    this.dependsOnLowers = true
    for (const name of this.#lower?.readdir('' as Name) ?? []) {
      if (this.#writer.root.lstat(name) === undefined) this.#writer.makeWhiteout(name)
    }
  }

  /** The path after the links on the way to it are followed. */
  #realPath(path: Name, follow: LinkScope = 'here'): Name {
    const slash = path.lastIndexOf('/')
    if (slash < 0) return path
    const parent = this.#realDirectory(path.slice(0, slash) as Name, follow)
    return checkLength(joinName(parent, path.slice(slash + 1) as Name))
  }

  /**
   * The real path of the directory `path`, as after `chroot`. It exists in this layer afterwards:
   * directories that only the layers below have are made with their attributes, so that the merged view
   * stays the same.
   */
  #realDirectory(path: Name, follow: LinkScope = 'here'): Name {
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
      if (links > MAX_LINKS) throw invalidEntryError(path, 'too many levels of symbolic links')
      if (target.startsWith('/')) current = '' as Name
      rest.push(...componentsOf(target).reverse())
    }
    return current
  }

  /**
   * Ensures that there is a directory at `path`, or returns the text of the link that is there. Something
   * else in a lower layer is hidden by the directory: runtimes unpack a layer beside the ones below, and
   * do not see their links.
   */
  #enter(path: Name, follow: LinkScope): Name | undefined {
    const here = this.#writer.root.lstat(path)
    if (here?.isSymbolicLink()) {
      return readlinkSync(this.#writer.root.place(path), 'latin1') as Name
    }
    if (here?.isDirectory()) {
      this.#directories.add(path)
      return undefined
    }
    if (here !== undefined && !this.#whiteouts.has(path)) {
      throw invalidEntryError(path, 'something below it, but it is not a directory')
    }
    const below = here === undefined ? this.#lstatBelow(path) : undefined
    if (below?.type === 'symlink' && follow === 'everywhere') return this.#lower?.readlink(path)
    this.#makeDirectory(path, { stat: this.#asDirectory(path, below) })
    if (below !== undefined && below.type !== 'directory') this.#directories.hide(path)
    return undefined
  }

  /** The attributes of a directory at `path`; for a link below, those of its target. */
  #asDirectory(path: Name, below: FileStat | undefined): FileStat {
    const lower = this.#lower
    const isLink = below?.type === 'symlink' && lower !== undefined
    const end = isLink ? findTarget(lower, path) : below
    return end?.type === 'directory' ? end : BARE_DIRECTORY
  }

  /** What is visible of the layers below at `path`. */
  #lstatBelow(path: Name): FileStat | undefined {
    if (this.#directories.isHidden(parentOf(path))) return undefined
    this.dependsOnLowers = true
    return this.#lower?.lstat(path)
  }

  /** The real path of an existing file; `undefined` when it depends on layers that are not available. */
  #linkTarget(entry: TarEntry, path: Name): Name | undefined {
    const target = this.#realPath(entryPath(entry.linkname), 'everywhere')
    if (target === path) throw invalidEntryError(path, 'a hard link to itself')
    if (target.startsWith(`${path}/`)) {
      throw invalidEntryError(path, 'a hard link to a file in the directory that it replaces')
    }
    if (this.#writer.isLeftOut(target)) return target
    const here = this.#writer.root.lstat(target)
    if (here !== undefined) {
      if (!here.isDirectory() && !this.#whiteouts.has(target)) return target
      throw invalidEntryError(path, 'a hard link to a directory or deleted file')
    }
    const below = this.#lstatBelow(target)
    if (below === undefined && this.#lower === undefined) return undefined
    if (below === undefined || below.type === 'directory') {
      throw invalidEntryError(path, 'a hard link to a file that is not there')
    }
    if (this.#lower !== undefined) copyUp(this.#lower, target, { stat: below, to: this.#writer })
    return target
  }

  #link(path: Name, target: Name | undefined): void {
    if (target === undefined) return
    this.#forget(path)
    this.#writer.makeHardlink(path, target)
  }
}

/** What a link leads to; `undefined` where it leads to nothing or back to itself. */
function findTarget(tree: Tree, link: Name): FileStat | undefined {
  try {
    return tree.lstat(resolveInTree(tree, link, { followLast: true }))
  } catch (cause) {
    if (cause instanceof TsbuildError && cause.code === 'NOT_FOUND') return undefined
    throw cause
  }
}

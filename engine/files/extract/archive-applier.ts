import type { Buffer } from 'node:buffer'
import {
  attributesOf,
  type DirectoryWriter,
  type EntryAttributes,
  EntryFile,
  entryPath,
  invalidEntryError,
  type TarEntry,
  type TarHandler,
} from '#builder/layer'
import { BARE_DIRECTORY } from '#builder/linux'
import {
  baseOf,
  type FileStat,
  joinName,
  type Name,
  parentOf,
  TsbuildError,
  textOfName,
} from '#core'
import type { RootTree } from '../root/root-tree.ts'
import { EntryPaths } from './entry-paths.ts'
import { extractError } from './extract-error.ts'

/** An owner of files. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** How an archive is unpacked. */
export interface ApplierOptions {
  /** Real path of the directory that it is unpacked to, which exists. */
  readonly directory: Name
  /** Owner of all entries; absent: what the archive says. */
  readonly owner?: Owner | undefined
  /** Whether a directory may take the place of something else, and the other way round. */
  readonly replacing: 'anything' | 'the same kind'
}

/**
 * Makes the entries of a tar in a directory of a container, as `docker cp` does: names are plain, a later entry of the
 * same name wins, missing parents belong to root. Processes of the container may change its files meanwhile.
 */
export class ArchiveApplier implements TarHandler {
  readonly #tree: RootTree
  readonly #options: ApplierOptions
  readonly #paths: EntryPaths
  readonly #writer: DirectoryWriter
  #file: EntryFile | undefined

  /** @param tree reads what `writer` writes */
  constructor(tree: RootTree, writer: DirectoryWriter, options: ApplierOptions) {
    this.#tree = tree
    this.#writer = writer
    this.#options = options
    this.#paths = new EntryPaths(tree, {
      directory: options.directory,
      make: (path) =>
        this.#writer.makeDirectory(path, { stat: { ...BARE_DIRECTORY, mtimeMs: Date.now() } }),
    })
  }

  entry(entry: TarEntry): void {
    try {
      const path = entryPath(entry.name)
      if (path !== '') this.#apply(entry, path)
      else if (entry.type !== 'directory')
        throw invalidEntryError(path, 'the root must be a directory')
    } catch (cause) {
      throw extractError(entry.name, cause)
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
    this.#writer.finish()
  }

  /** To be called after a failure: what was made is not left without its attributes. */
  abandon(): void {
    this.#file?.close()
    this.#file = undefined
    try {
      this.#writer.finish()
    } catch {
      // The failure that came first says more.
    }
  }

  #apply(entry: TarEntry, path: Name): void {
    const place = joinName(this.#paths.realDirectory(parentOf(path)), baseOf(path))
    const found = this.#tree.lstat(place)
    this.#checkPlace(entry, place, found)
    const stays = entry.type === 'directory' && found?.type === 'directory'
    if (found !== undefined && !stays && this.#tree.isMountPoint(place)) throw busyError(place)
    if (entry.type === 'hardlink') {
      const target = this.#linkTarget(entry, place)
      if (found !== undefined) this.#paths.forget(place)
      this.#writer.makeHardlink(place, target)
      return
    }
    const attributes = this.#attributesOf(entry, place)
    if (found !== undefined && !stays) this.#paths.forget(place)
    this.#make(entry, place, attributes)
  }

  #make(entry: TarEntry, place: Name, attributes: EntryAttributes): void {
    const { type, linkname } = entry
    if (type === 'directory') {
      this.#writer.makeDirectory(place, attributes)
    } else if (type === 'file') {
      const options = { writer: this.#writer, failure: extractError }
      this.#file = new EntryFile(place, attributes, options)
    } else if (type === 'symlink') {
      if (linkname === '') throw invalidEntryError(place, 'a symbolic link to nothing')
      this.#writer.makeSymlink(place, linkname, attributes)
      this.#paths.noteLink(place)
    } else if (type !== 'hardlink') {
      this.#writer.makeSpecial(place, type, attributes)
    }
  }

  #checkPlace(entry: TarEntry, place: Name, found: FileStat | undefined): void {
    if (this.#tree.isHidden(place) || this.#tree.isMountOfHidden(place)) {
      throw invalidEntryError(place, 'it belongs to the kernel or to devices')
    }
    if (found === undefined || this.#options.replacing === 'anything') return
    const wasDirectory = found.type === 'directory'
    const isDirectory = entry.type === 'directory'
    if (wasDirectory === isDirectory) return
    const kind = (isOne: boolean): string => (isOne ? 'directory' : 'non-directory')
    const [old, name] = [place, entry.name].map((one) => textOfName(one))
    throw invalidEntryError(
      place,
      `cannot overwrite ${kind(wasDirectory)} "/${old}" with ${kind(isDirectory)} "${name}"`,
    )
  }

  #attributesOf(entry: TarEntry, place: Name): EntryAttributes {
    const attributes = attributesOf(entry, place)
    const { owner } = this.#options
    return owner === undefined
      ? attributes
      : { ...attributes, stat: { ...attributes.stat, ...owner } }
  }

  #linkTarget(entry: TarEntry, place: Name): Name {
    const path = entryPath(entry.linkname)
    const target = joinName(this.#paths.realDirectory(parentOf(path), 'as it is'), baseOf(path))
    if (target === place) throw invalidEntryError(place, 'a hard link to itself')
    const found = this.#tree.lstat(target)
    if (this.#writer.isLeftOut(target) || (found && found.type !== 'directory')) return target
    throw invalidEntryError(
      place,
      `a hard link to ${JSON.stringify(textOfName(target))}, which is no file`,
    )
  }
}

/**
 * The kernel would let this process, for which nothing is mounted there, remove the mount point: what is mounted on it in
 * the container would be gone.
 */
function busyError(place: Name): TsbuildError {
  return new TsbuildError(`unlinkat /${textOfName(place)}: device or resource busy`, {
    code: 'IO_FAILED',
    hint: 'something is mounted there in the container',
  })
}

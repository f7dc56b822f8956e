import { Buffer } from 'node:buffer'
import { closeSync, openSync } from 'node:fs'
import { type Bytes, type Digest, Digester, type Name, TsbuildError } from '#core'
import { TarContents } from '../contents/tar-contents.ts'
import { entryPath, meaningOf } from '../paths/entry-path.ts'
import { CAPABILITY } from '../paths/whiteout.ts'
import { readHeaders } from './read-headers.ts'
import type { TarEntry } from './tar-entry.ts'
import { type TarHandler, TarReader } from './tar-reader.ts'

/** A file of a layer's tar, without its time. */
export interface TarFile
  extends Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'size' | 'major' | 'minor'> {
  readonly type: Exclude<TarEntry['type'], 'hardlink'>
  /** The text of a symbolic link. */
  readonly target: Name | undefined
  /** The value of `security.capability`. */
  readonly capability: Buffer | undefined
  /** Of the content of a regular file. */
  readonly digest: Digest | undefined
}

/** As many zeros of a hole are digested at a time. */
const ZEROS = Buffer.alloc(64 * 1024)

/**
 * The files of a layer's tar by their paths, each with the digest of its content; marks of deletions are
 * left out. The tar is read once, from its beginning, and nothing is unpacked.
 * @throws {TsbuildError} LAYER_INVALID for a tar that is damaged
 */
export async function listTar(tar: Bytes): Promise<ReadonlyMap<Name, TarFile>> {
  const listing = new Listing(undefined)
  const reader = new TarReader(listing)
  for await (const chunk of tar) {
    read(() => reader.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)))
  }
  read(() => reader.end())
  return listing.files
}

/**
 * As `listTar`, by what was noted while the tar was written: only the headers are looked at.
 * @param contents what `ContentsWriter` has noted
 * @returns `undefined` where that is damaged, or does not fit
 * @throws {TsbuildError} LAYER_INVALID
 */
export function listNotedTar(
  tar: string,
  contents: string,
): ReadonlyMap<Name, TarFile> | undefined {
  using noted = TarContents.open(contents)
  if (noted === undefined) return undefined
  const digests = new Map<Name, Digest>()
  for (const { path, digest } of noted.entries())
    if (digest !== undefined) digests.set(path, digest)
  const listing = new Listing(digests)
  const descriptor = openSync(tar, 'r')
  try {
    const reader = new TarReader(listing)
    read(() => readHeaders(descriptor, reader))
    read(() => reader.end())
  } finally {
    closeSync(descriptor)
  }
  const files = [...listing.files.values()]
  const isComplete = files.every(
    ({ type, size, digest }) => type !== 'file' || size === 0 || digest,
  )
  return isComplete ? listing.files : undefined
}

function read(step: () => void): void {
  try {
    step()
  } catch (cause) {
    if (cause instanceof TsbuildError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TsbuildError(`list a layer: ${reason}`, { code: 'LAYER_INVALID', cause })
  }
}

class Listing implements TarHandler {
  readonly files = new Map<Name, TarFile>()
  readonly #digests: ReadonlyMap<Name, Digest> | undefined
  #path: Name | undefined
  #digester: Digester | undefined

  /** @param digests those of the contents; default: they are taken */
  constructor(digests: ReadonlyMap<Name, Digest> | undefined) {
    this.#digests = digests
  }

  entry(entry: TarEntry): void {
    const path = entryPath(entry.name)
    this.#path = undefined
    this.#digester = undefined
    if (path === '' || meaningOf(path).kind !== 'file') return
    const file =
      entry.type === 'hardlink' ? this.files.get(entryPath(entry.linkname)) : toFile(entry)
    if (file === undefined) return
    const digest = entry.type === 'file' ? this.#digests?.get(path) : file.digest
    this.files.set(path, { ...file, digest })
    if (entry.type !== 'file' || this.#digests !== undefined) return
    this.#path = path
    this.#digester = new Digester()
  }

  content(bytes: Buffer): void {
    this.#digester?.update(bytes)
  }

  hole(length: number): void {
    for (let left = length; left > 0; left -= ZEROS.length) {
      this.#digester?.update(ZEROS.subarray(0, left))
    }
  }

  end(): void {
    const file = this.#path === undefined ? undefined : this.files.get(this.#path)
    if (this.#path === undefined || file === undefined) return
    this.files.set(this.#path, { ...file, digest: this.#digester?.digest() })
  }
}

function toFile(entry: TarEntry): TarFile | undefined {
  const { type, mode, uid, gid, size, major, minor, linkname, xattrs } = entry
  if (type === 'hardlink') return undefined
  return {
    ...{ type, mode, uid, gid, size, major, minor },
    target: type === 'symlink' ? linkname : undefined,
    capability: xattrs.get(CAPABILITY),
    digest: undefined,
  }
}

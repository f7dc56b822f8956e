import { Buffer } from 'node:buffer'
import { type Bytes, type Digest, Digester, type Name, TsbuildError } from '#core'
import { entryPath, meaningOf } from '../paths/entry-path.ts'
import { CAPABILITY } from '../paths/whiteout.ts'
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
  const listing = new Listing()
  const reader = new TarReader(listing)
  for await (const chunk of tar) {
    read(() => reader.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)))
  }
  read(() => reader.end())
  return listing.files
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
  #path: Name | undefined
  #digester: Digester | undefined

  entry(entry: TarEntry): void {
    const path = entryPath(entry.name)
    this.#path = undefined
    this.#digester = undefined
    if (path === '' || meaningOf(path).kind !== 'file') return
    const file =
      entry.type === 'hardlink' ? this.files.get(entryPath(entry.linkname)) : toFile(entry)
    if (file === undefined) return
    this.files.set(path, file)
    if (entry.type !== 'file') return
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

/** Archives come in any order and from a pipe: their files are put aside with their digests before one is read. */
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { decompress, type TarEntry, type TarHandler, TarReader } from '#builder/layer'
import { writeFully } from '#builder/linux'
import { freeBytes } from '#cache'
import { type Bytes, type Digest, Digester, ioError, TsbuildError, throwIfCancelled } from '#core'

/** A file of an archive, put aside. */
export interface ArchiveFile {
  readonly path: string
  readonly digest: Digest
  readonly size: number
}

/** The files of an archive by their names, without `./`; links lead to the file that they mean. */
export type ArchiveFiles = ReadonlyMap<string, ArchiveFile>

/** Far more than an image of the most layers has. */
const MOST_ENTRIES = 50_000
const MOST_LINKS = 8

/**
 * Reads an archive, packed or not, and puts its files into a folder. Names are never used as paths.
 * @param name of the archive, for errors
 * @throws {TsbuildError} LAYER_INVALID for what is not a tar, or expands too much; NO_SPACE before the disk is full
 */
export async function readArchiveFiles(
  bytes: Bytes,
  { name, folder, signal }: { name: string; folder: string; signal?: AbortSignal | undefined },
): Promise<ArchiveFiles> {
  using spool = new Spool(folder, name)
  const reader = new TarReader(spool)
  for await (const chunk of decompress(bytes, 'detect', { name })) {
    throwIfCancelled(signal, `read ${name}`)
    guarded(name, () => reader.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)))
  }
  guarded(name, () => reader.end())
  return spool.files()
}

function guarded(name: string, read: () => void): void {
  try {
    read()
  } catch (cause) {
    if (cause instanceof TsbuildError) throw cause
    throw new TsbuildError(`read ${name}: it is not a tar, or it is damaged`, {
      code: 'LAYER_INVALID',
      hint: 'images are loaded from what docker save, podman save, skopeo and tsbuild save write',
      cause,
    })
  }
}

/** Writes each file under a number. */
class Spool implements TarHandler {
  readonly #folder: string
  readonly #archive: string
  readonly #files = new Map<string, ArchiveFile>()
  /** Where links lead, as a name of the archive. */
  readonly #links = new Map<string, string>()
  #entries = 0
  #open: { readonly name: string; readonly path: string; readonly fd: number } | undefined
  #digester = new Digester()

  constructor(folder: string, archive: string) {
    this.#folder = folder
    this.#archive = archive
  }

  entry({ type, name: written, linkname, size }: TarEntry): void {
    this.#entries += 1
    if (this.#entries > MOST_ENTRIES) throw this.#error(`more than ${MOST_ENTRIES} entries`)
    const name = cleanName(written)
    if (type === 'symlink') this.#links.set(name, linkTarget(name, linkname))
    if (type === 'hardlink') this.#links.set(name, cleanName(linkname))
    if (type !== 'file') return
    if (size > freeBytes(this.#folder)) {
      throw new TsbuildError(`read ${this.#archive}: no room for ${size} bytes of ${name}`, {
        code: 'NO_SPACE',
        hint: 'make room with `tsbuild prune`, or name another store with --root',
      })
    }
    const path = join(this.#folder, String(this.#entries))
    this.#digester = new Digester()
    this.#open = { name, path, fd: openSync(path, 'wx', 0o600) }
  }

  content(bytes: Buffer): void {
    if (this.#open === undefined) return
    this.#digester.update(bytes)
    try {
      writeFully(this.#open.fd, bytes)
    } catch (cause) {
      throw ioError(`write ${this.#open.path}`, cause)
    }
  }

  hole(): void {
    throw this.#error('a sparse file')
  }

  end(): void {
    if (this.#open === undefined) return
    const { name, path, fd } = this.#open
    this.#open = undefined
    closeSync(fd)
    // Which of two files is meant would depend on the reader.
    if (this.#files.has(name)) throw this.#error(`${name} twice`)
    const { size } = this.#digester
    this.#files.set(name, { path, digest: this.#digester.digest(), size })
  }

  files(): ArchiveFiles {
    for (const link of this.#links.keys()) {
      const file = this.#follow(link)
      if (file !== undefined && !this.#files.has(link)) this.#files.set(link, file)
    }
    return this.#files
  }

  #follow(link: string): ArchiveFile | undefined {
    let name: string | undefined = link
    for (let hops = 0; name !== undefined && hops < MOST_LINKS; hops++) {
      const file = this.#files.get(name)
      if (file !== undefined) return file
      name = this.#links.get(name)
    }
    return undefined
  }

  #error(what: string): TsbuildError {
    return new TsbuildError(`read ${this.#archive}: it has ${what}`, { code: 'LAYER_INVALID' })
  }

  [Symbol.dispose](): void {
    if (this.#open !== undefined) closeSync(this.#open.fd)
  }
}

/** `./a//b` is `a/b`; `..` at the top leads nowhere else. */
function cleanName(name: string): string {
  const parts: string[] = []
  for (const part of name.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

function linkTarget(link: string, target: string): string {
  return cleanName(target.startsWith('/') ? target : `${link}/../${target}`)
}

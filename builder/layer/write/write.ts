import { closeSync } from 'node:fs'
import { BARE_DIRECTORY, ContentCopier, writeFully } from '#builder/linux'
import type { Ring } from '#builder/threads'
import {
  type Change,
  checkpoint,
  type DiffId,
  type Digest,
  Digester,
  digestOfContent,
  type EntryChange,
  type Name,
  unreachable,
} from '#core'
import {
  type Consume,
  type CopyBuffer,
  checkSize,
  copyBytes,
  copyFile,
  scratchBuffer,
} from '../content/copy-buffer.ts'
import { DirectoryWriter } from '../overlay/directory-writer.ts'
import type { Owners } from '../overlay/owners-beside.ts'
import { writeError } from '../overlay/write-error.ts'
import { TarWriter } from '../tar/tar-writer.ts'

/** Where a layer is written to. */
export interface LayerSinks {
  /** A tar file to create (it must not exist), or an open descriptor to write to. */
  readonly tar?: string | number
  /**
   * With `tar`: gets the same bytes, so that another thread can make a directory of them at the same
   * time. That thread takes the digest, too.
   */
  readonly reader?: Ring
  /** An overlay-form directory to fill: empty, or new in an existing directory. */
  readonly directory?: string
}

/** How a layer is written. */
export interface WriteOptions {
  /** Gets the sha256 of each regular file's content; not called for hard links. */
  readonly onFile?: (path: Name, digest: Digest) => void
  /** Called for what could not be made, e.g. device files in a user namespace. */
  readonly onWarning?: (message: string) => void
  /** Owners of the files in a directory; a tar has them all. Default: `keep`. */
  readonly owners?: Owners
}

/** What was written. */
export interface WrittenLayer {
  /** Of the tar; absent when none was written, or a reader takes it. */
  readonly diffId?: DiffId
  /** Bytes of the tar; absent when none was written. */
  readonly size?: number
}

/**
 * Writes changes as a layer, in one pass: every file is read once. Equal changes give an equal tar.
 * Nothing is synced to disk. After a failure the result is incomplete, and the caller removes it.
 * @throws {TsbuildError} LAYER_INVALID for a name that a tar layer cannot hold, IO_FAILED naming the
 *   file, also when it changed while it was read, NO_SPACE, PERMISSION_DENIED, PEER_GONE when the
 *   reader of the ring ended, CANCELLED
 */
export function writeLayer(
  changes: Iterable<Change>,
  sinks: LayerSinks,
  options: WriteOptions = {},
): WrittenLayer {
  const tar = sinks.tar === undefined ? undefined : new TarWriter(sinks.tar, sinks.reader)
  try {
    const directory =
      sinks.directory === undefined ? undefined : layerDirectory(sinks.directory, options)
    try {
      const writer = new LayerWriter(tar, directory, options.onFile)
      for (const change of changes) writer.write(change)
      directory?.finish()
      return tar?.finish() ?? {}
    } finally {
      directory?.close()
    }
  } finally {
    tar?.close()
  }
}

/** A tar that was written. */
export interface WrittenTar {
  readonly diffId: DiffId
  /** Bytes. */
  readonly size: number
}

/** Writes changes as a tar alone, as `writeLayer`. @param tar a file to create, or a descriptor to write to */
export function writeTar(changes: Iterable<Change>, tar: string | number): WrittenTar {
  const { diffId, size } = writeLayer(changes, { tar })
  if (diffId === undefined || size === undefined) throw new Error('no tar was written')
  return { diffId, size }
}

function layerDirectory(path: string, options: WriteOptions): DirectoryWriter {
  const { onWarning = () => {}, owners = 'keep' } = options
  const directory = new DirectoryWriter(path, { owners, onWarning })
  directory.makeDirectory('' as Name, { stat: BARE_DIRECTORY })
  return directory
}

/**
 * Writes changes as files into a directory, which is made when missing. Files of other names stay there;
 * whiteouts and opaque marks are ignored. An entry without a name has the attributes of the directory.
 * Nothing is kept beside it: devices and capabilities that this process cannot make are left out.
 * @param options `owners` is `drop` by default: the files belong to the current user
 * @throws {TsbuildError} as `writeLayer`
 */
export function writeFiles(
  changes: Iterable<Change>,
  directory: string,
  options: Pick<WriteOptions, 'owners' | 'onWarning'> = {},
): void {
  const { owners = 'drop', onWarning = () => {} } = options
  const files = new DirectoryWriter(directory, { owners, isBare: true, onWarning })
  try {
    const writer = new LayerWriter(undefined, files, undefined)
    for (const change of changes) if (change.kind === 'entry') writer.write(change)
    files.finish()
  } finally {
    files.close()
  }
}

/** Writes every change to the sinks that are given. */
class LayerWriter {
  readonly #tar: TarWriter | undefined
  readonly #directory: DirectoryWriter | undefined
  readonly #onFile: WriteOptions['onFile']
  readonly #buffer: CopyBuffer
  #copier: ContentCopier | undefined

  constructor(
    tar: TarWriter | undefined,
    directory: DirectoryWriter | undefined,
    onFile: WriteOptions['onFile'],
  ) {
    this.#tar = tar
    this.#directory = directory
    this.#onFile = onFile
    this.#buffer = tar ?? scratchBuffer()
  }

  write(change: Change): void {
    checkpoint()
    if (change.kind === 'entry' && change.stat.type === 'socket') return
    try {
      if (change.kind === 'entry' && change.stat.type === 'file' && change.hardlink === undefined) {
        this.#writeFile(change)
      } else {
        this.#tar?.header(change, 0)
        if (this.#directory !== undefined) makeChange(this.#directory, change)
      }
    } catch (cause) {
      throw writeError(change.path, cause)
    }
  }

  #writeFile(change: EntryChange): void {
    const { path, stat, data } = change
    const size = data?.length ?? stat.size
    this.#tar?.header(change, size)
    const file = this.#directory?.makeFile(path, stat)
    const digest = this.#onFile === undefined ? undefined : new ContentDigest(size)
    try {
      if (file !== undefined && this.#isCopied(change)) this.#copyInKernel(change, file)
      else {
        this.#copyContent(change, (bytes, start, end) => {
          if (file !== undefined) writeFully(file, bytes, start, end)
          digest?.update(bytes.subarray(start, end))
        })
      }
      this.#tar?.pad(size)
      if (file !== undefined) this.#directory?.setFileAttributes(path, file, change)
    } finally {
      if (file !== undefined) closeSync(file)
    }
    if (digest !== undefined) this.#onFile?.(path, digest.digest())
  }

  /** Whether the content is for a file alone, and nobody needs to see it. */
  #isCopied({ data }: EntryChange): boolean {
    return this.#tar === undefined && this.#onFile === undefined && data === undefined
  }

  #copyInKernel({ path, open, stat }: EntryChange, file: number): void {
    if (open === undefined) throw new Error('a file without content')
    this.#copier ??= new ContentCopier()
    const source = open()
    try {
      const copied = this.#copier.copy({ from: source, to: file, size: stat.size })
      checkSize(path, stat.size, copied)
    } finally {
      closeSync(source)
    }
  }

  #copyContent({ path, data, open, stat }: EntryChange, consume: Consume): void {
    if (this.#tar === undefined) this.#buffer.flush()
    if (data !== undefined) {
      copyBytes(data, this.#buffer, consume)
      return
    }
    if (open === undefined) throw new Error('a file without content')
    const fd = open()
    try {
      copyFile({ fd, path, size: stat.size }, this.#buffer, consume)
    } finally {
      closeSync(fd)
    }
  }
}

/** Makes a change that has no content. */
function makeChange(directory: DirectoryWriter, change: Change): void {
  switch (change.kind) {
    case 'whiteout':
      directory.makeWhiteout(change.path)
      break
    case 'opaque':
      directory.markOpaque(change.path)
      break
    case 'entry':
      if (change.hardlink === undefined) makeEntry(directory, change)
      else directory.makeHardlink(change.path, change.hardlink)
      break
    default:
      unreachable(change)
  }
}

function makeEntry(directory: DirectoryWriter, change: EntryChange): void {
  const { path, stat, target } = change
  switch (stat.type) {
    case 'directory':
      directory.makeDirectory(path, change)
      break
    case 'symlink':
      directory.makeSymlink(path, target ?? ('' as Name), change)
      break
    case 'block':
    case 'character':
    case 'fifo':
      directory.makeSpecial(path, stat.type, change)
      break
    case 'file':
    case 'socket':
      throw new Error(`a ${stat.type} is not made here`)
    default:
      unreachable(stat.type)
  }
}

/** Digests a file of known size; a small one, which comes in one piece, in a single call. */
class ContentDigest {
  readonly #size: number
  #whole: Digest | undefined
  #pieces: Digester | undefined

  constructor(size: number) {
    this.#size = size
  }

  update(bytes: Uint8Array): void {
    if (bytes.length === this.#size) this.#whole = digestOfContent(bytes)
    else {
      this.#pieces ??= new Digester()
      this.#pieces.update(bytes)
    }
  }

  digest(): Digest {
    return this.#whole ?? this.#pieces?.digest() ?? digestOfContent(new Uint8Array())
  }
}

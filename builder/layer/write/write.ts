import { closeSync } from 'node:fs'
import { BARE_DIRECTORY } from '#builder/linux'
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
  type Passage,
  passBytes,
  passFile,
  scratchPassage,
} from '../content/copy-buffer.ts'
import { writeFully } from '../content/write-all.ts'
import { DirectoryWriter, type Owners, writeError } from '../overlay/directory-writer.ts'
import { TarFile } from '../tar/tar-writer.ts'

export interface LayerSinks {
  /** A tar file to create (it must not exist), or an open descriptor to write to. */
  readonly tar?: string | number
  /**
   * With `tar`: gets the same bytes, so that another thread can make a directory of them at the same
   * time. Who reads them all can tell their digest as well: it is not taken here then.
   */
  readonly reader?: Ring
  /** An overlay-form directory to fill: empty, or new in an existing directory. */
  readonly directory?: string
}

export interface WriteOptions {
  /** The sha256 of each regular file's content; hard links have none of their own. */
  readonly onFile?: (path: Name, digest: Digest) => void
  /** Told about what could not be made, e.g. device files in a user namespace. */
  readonly onWarning?: (message: string) => void
  /** Of the files of a directory; a tar has them all. Default: `keep`. */
  readonly owners?: Owners
}

export interface WrittenLayer {
  /** Of the tar; absent when none was written, or a reader has it. */
  readonly diffId?: DiffId
  /** Bytes of the tar; absent when none was written. */
  readonly size?: number
}

/**
 * Writes changes as a layer, in one pass: every file is read once. Equal changes give an equal tar.
 * Nothing is synced to disk. After a failure what was written is incomplete, and the caller's to
 * remove.
 * @throws {TsbuildError} LAYER_INVALID for a name that a tar layer cannot hold, IO_FAILED naming the
 *   file, also when it changed while it was read, NO_SPACE, PERMISSION_DENIED, PEER_GONE when the
 *   reader of the ring ended, CANCELLED
 */
export function writeLayer(
  changes: Iterable<Change>,
  sinks: LayerSinks,
  options: WriteOptions = {},
): WrittenLayer {
  const tar = sinks.tar === undefined ? undefined : new TarFile(sinks.tar, sinks.reader)
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

function layerDirectory(path: string, options: WriteOptions): DirectoryWriter {
  const { onWarning = () => {}, owners = 'keep' } = options
  const directory = new DirectoryWriter(path, { owners, onWarning })
  directory.makeDirectory('' as Name, { stat: BARE_DIRECTORY })
  return directory
}

/**
 * Writes changes as the current user's files into a directory, which is made when missing. What it
 * holds under other names stays; whiteouts and opaque marks mean nothing.
 * @throws {TsbuildError} as `writeLayer`
 */
export function writeFiles(
  changes: Iterable<Change>,
  directory: string,
  options: Pick<WriteOptions, 'onWarning'> = {},
): void {
  const { onWarning = () => {} } = options
  const files = new DirectoryWriter(directory, { owners: 'drop', onWarning })
  try {
    const writer = new LayerWriter(undefined, files, undefined)
    for (const change of changes) if (change.kind === 'entry') writer.write(change)
    files.finish()
  } finally {
    files.close()
  }
}

/** Hands every change to the sinks there are. */
class LayerWriter {
  readonly #tar: TarFile | undefined
  readonly #directory: DirectoryWriter | undefined
  readonly #onFile: WriteOptions['onFile']
  readonly #passage: Passage

  constructor(
    tar: TarFile | undefined,
    directory: DirectoryWriter | undefined,
    onFile: WriteOptions['onFile'],
  ) {
    this.#tar = tar
    this.#directory = directory
    this.#onFile = onFile
    this.#passage = tar ?? scratchPassage()
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
      this.#pass(change, (bytes, start, end) => {
        if (file !== undefined) writeFully(file, bytes, start, end)
        digest?.update(bytes.subarray(start, end))
      })
      this.#tar?.pad(size)
      if (file !== undefined) this.#directory?.setFileAttributes(path, file, change)
    } finally {
      if (file !== undefined) closeSync(file)
    }
    if (digest !== undefined) this.#onFile?.(path, digest.digest())
  }

  #pass({ path, data, open, stat }: EntryChange, consume: Consume): void {
    if (this.#tar === undefined) this.#passage.flush()
    if (data !== undefined) {
      passBytes(data, this.#passage, consume)
      return
    }
    if (open === undefined) throw new Error('a file without content')
    const fd = open()
    try {
      passFile({ fd, path, size: stat.size }, this.#passage, consume)
    } finally {
      closeSync(fd)
    }
  }
}

/** Anything but the content of a file. */
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

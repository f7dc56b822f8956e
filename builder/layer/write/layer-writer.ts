import { closeSync, ftruncateSync } from 'node:fs'
import { ContentCopier, isSparse, skipBytes, writeFully } from '#builder/linux'
import {
  type Change,
  checkpoint,
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
  copySparse,
  scratchBuffer,
} from '../content/copy-buffer.ts'
import type { DirectoryWriter } from '../overlay/directory-writer.ts'
import { writeError } from '../overlay/write-error.ts'
import type { TarWriter } from '../tar/tar-writer.ts'

/** Where a layer writer writes to. */
export interface LayerWriterSinks {
  readonly tar: TarWriter | undefined
  readonly directory: DirectoryWriter | undefined
  /** Gets the sha256 of each regular file's content; not called for hard links. */
  readonly onFile: ((path: Name, digest: Digest) => void) | undefined
}

/** What gets the content of a file. */
interface ContentParts {
  readonly consume: Consume
  readonly onHole: (length: number) => void
}

/** Of smaller files, asking for holes would cost more than reading them. */
const SPARSE_BYTES = 1 << 20

const ZEROS = new Uint8Array(512 * 1024)

/** Pieces of so many zeros. */
function* zerosOf(length: number): Generator<Uint8Array, void, undefined> {
  for (let left = length; left > 0; left -= ZEROS.length) {
    checkpoint()
    yield ZEROS.subarray(0, Math.min(left, ZEROS.length))
  }
}

/** Writes every change to the sinks that are given. */
export class LayerWriter {
  readonly #tar: TarWriter | undefined
  readonly #directory: DirectoryWriter | undefined
  readonly #onFile: LayerWriterSinks['onFile']
  readonly #buffer: CopyBuffer
  #copier: ContentCopier | undefined

  constructor({ tar, directory, onFile }: LayerWriterSinks) {
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
    const isDigested = this.#onFile !== undefined || this.#tar?.wantsDigests === true
    const digest = isDigested ? new ContentDigest(size) : undefined
    try {
      if (file !== undefined && this.#isCopied(change)) this.#copyInKernel(change, file)
      else {
        this.#copyContent(change, {
          consume: (bytes, start, end) => {
            if (file !== undefined) writeFully(file, bytes, start, end)
            digest?.update(bytes.subarray(start, end))
          },
          onHole: (length) => {
            if (file !== undefined) skipBytes(file, length)
            this.#tar?.hole(length)
            for (const zeros of zerosOf(digest === undefined ? 0 : length)) digest?.update(zeros)
          },
        })
        // A hole at the end.
        if (file !== undefined && size >= SPARSE_BYTES) ftruncateSync(file, size)
      }
      this.#tar?.pad(size)
      if (file !== undefined) this.#directory?.setFileAttributes(path, file, change)
    } finally {
      if (file !== undefined) closeSync(file)
    }
    if (digest !== undefined) this.#pass(path, digest.digest())
  }

  #pass(path: Name, digest: Digest): void {
    this.#tar?.setDigest(digest)
    this.#onFile?.(path, digest)
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

  #copyContent({ path, data, open, stat }: EntryChange, to: ContentParts): void {
    if (this.#tar === undefined) this.#buffer.flush()
    if (data !== undefined) {
      copyBytes(data, this.#buffer, to.consume)
      return
    }
    if (open === undefined) throw new Error('a file without content')
    const fd = open()
    try {
      const content = { fd, path, size: stat.size }
      if (stat.size >= SPARSE_BYTES && isSparse(fd)) copySparse(content, this.#buffer, to)
      else copyFile(content, this.#buffer, to.consume)
    } finally {
      closeSync(fd)
    }
  }
}

/** Makes a change that has no content. */
export function makeChange(directory: DirectoryWriter, change: Change): void {
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

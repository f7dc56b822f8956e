import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { type Digest, Digester, digestOf, errnoOf, hexOf, type Name } from '#core'
import { type ContentsEntry, endOf, TRAILER_BYTES } from './contents-entry.ts'
import { type CheckedChunk, parseChunks } from './tar-chunks.ts'

const BLOCK_BYTES = 1 << 17
const FIELDS = 6
const TRAILER = /^(\d{1,15}) (\d{1,15}) (\d{1,15}) ([0-9a-f]{64}) ([0-9a-f]{64}) *$/

/** What is where in a layer's tar, as `ContentsWriter` has noted it. */
export class TarContents implements Disposable {
  readonly chunks: readonly CheckedChunk[]
  /** Number of entries. */
  readonly count: number
  readonly #fd: number
  readonly #entryBytes: number

  private constructor(fd: number, { entryBytes, count }: Trailer, chunks: string) {
    this.#fd = fd
    this.#entryBytes = entryBytes
    this.count = count
    this.chunks = parseChunks(chunks)
  }

  /** `undefined` when there is no such file, or it is damaged. */
  static open(path: string): TarContents | undefined {
    const fd = openIfThere(path)
    if (fd === undefined) return undefined
    try {
      const trailer = readTrailer(fd)
      const chunks = trailer && readChunks(fd, trailer)
      if (trailer !== undefined && chunks !== undefined) return new TarContents(fd, trailer, chunks)
    } catch (cause) {
      closeSync(fd)
      throw cause
    }
    closeSync(fd)
    return undefined
  }

  /** In the order of the tar: that of a walk. */
  *entries(): Generator<ContentsEntry> {
    let rest = ''
    let start = 0
    for (const block of blocksOf(this.#fd, this.#entryBytes)) {
      const fields = `${rest}${block.toString('latin1')}`.split('\0')
      const whole = fields.length - 1 - ((fields.length - 1) % FIELDS)
      for (let at = 0; at < whole; at += FIELDS) {
        const entry = toEntry(fields, at, start)
        yield entry
        start = endOf(entry)
      }
      rest = fields.slice(whole).join('\0')
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }
}

interface Trailer {
  readonly entryBytes: number
  readonly chunkBytes: number
  readonly count: number
  /** Digits of the sha256 of the entries, and of the chunks. */
  readonly sums: readonly [string, string]
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw cause
  }
}

function readTrailer(fd: number): Trailer | undefined {
  const { size } = fstatSync(fd)
  if (size < TRAILER_BYTES) return undefined
  const bytes = Buffer.alloc(TRAILER_BYTES)
  readSync(fd, bytes, 0, TRAILER_BYTES, size - TRAILER_BYTES)
  const found = TRAILER.exec(bytes.toString('latin1'))
  if (found === null) return undefined
  const [, entryBytes, chunkBytes, count, ofEntries = '', ofChunks = ''] = found
  const trailer = {
    entryBytes: Number(entryBytes),
    chunkBytes: Number(chunkBytes),
    count: Number(count),
    sums: [ofEntries, ofChunks],
  } as const
  return trailer.entryBytes + trailer.chunkBytes + TRAILER_BYTES === size ? trailer : undefined
}

/** `undefined` when either part is damaged. */
function readChunks(fd: number, { entryBytes, chunkBytes, sums }: Trailer): string | undefined {
  const digester = new Digester()
  for (const block of blocksOf(fd, entryBytes)) digester.update(block)
  const bytes = Buffer.alloc(chunkBytes)
  readSync(fd, bytes, 0, chunkBytes, entryBytes)
  const text = bytes.toString('latin1')
  const [ofEntries, ofChunks] = [digester.digest(), digestOf(text)].map(hexOf)
  return ofEntries === sums[0] && ofChunks === sums[1] ? text : undefined
}

/** The first `length` bytes of a file; each block is valid until the next one is taken. */
function* blocksOf(fd: number, length: number): Generator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, Math.max(1, length)))
  for (let at = 0; at < length; ) {
    const got = readSync(fd, buffer, 0, Math.min(buffer.length, length - at), at)
    if (got === 0) return
    yield buffer.subarray(0, got)
    at += got
  }
}

function toEntry(fields: readonly string[], at: number, start: number): ContentsEntry {
  const [path = '', header = '', kind = '', position = '', size = '', content = ''] = fields.slice(
    at,
    at + FIELDS,
  )
  return {
    path: path as Name,
    header,
    isDirectory: kind === 'd',
    start,
    position: Number(position),
    size: Number(size),
    digest: content === '' ? undefined : (`sha256:${content}` as Digest),
  }
}

import { Buffer } from 'node:buffer'
import { setImmediate } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import { type Bytes, type Compression, errnoOf, isHole, TsbuildError, unreachable } from '#core'
import { MAX_IN_FLIGHT } from './bytes/in-flight.ts'
import { pipeThrough } from './bytes/transform.ts'
import { unbzip2 } from './bzip2/bzip2.ts'
import { gzip } from './parallel-gzip.ts'
import { unxz } from './xz/xz.ts'
import { unzstd, ZSTD_LEVEL, zstd } from './zstd/zstd.ts'

/** The compression of an archive; `xz` and `bzip2` are only unpacked. */
export type ArchiveCompression = Compression | 'xz' | 'bzip2'

const CHUNK_SIZE = 256 * 1024
/** Below this size a high ratio is not suspicious. */
const RATIO_FLOOR = 64 * 1024 * 1024
const MAX_RATIO = 1000
/**
 * Long runs of zeros do not count: they are the holes of files, of 300 GB in a log of logins by user id, and take
 * no space on the disk. As much of them as a sparse file of an archive may have: ADR 18.
 */
const MAX_ZEROS = 2 ** 40
const MAGIC: readonly (readonly [ArchiveCompression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['bzip2', [0x42, 0x5a, 0x68]],
]
/** Bytes of the first header of a tar up to its own mark. Spec: POSIX.1-2017 pax, ustar */
const HEAD_SIZE = 262
const TAR_MARK = 'ustar'

/** The compression by the first 6 bytes of a file; `none` when they are of no known kind. */
export function detectCompression(start: Uint8Array): ArchiveCompression {
  const found = MAGIC.find(([, bytes]) => bytes.every((byte, i) => start[i] === byte))
  if (found !== undefined) return found[0]
  const [first = 0, ...rest] = start.subarray(0, 4)
  const isSkippable = first >> 4 === 5 && rest.join() === '42,77,24'
  return isSkippable ? 'zstd' : 'none'
}

/**
 * Unpacks while reading: all gzip members, zstd frames, and streams of xz and bzip2. A piece of
 * `bytes` is read after the next one was taken: the source must not use its buffer again.
 * @param options.name what is unpacked, for errors; default: `layer`
 * @throws {TsbuildError} LAYER_INVALID when the bytes are damaged, cut short, followed by others, or
 *   expand more than any real archive
 */
export async function* decompress(
  bytes: Bytes,
  compression: ArchiveCompression | 'detect',
  options: { readonly name?: string } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { name = 'layer' } = options
  const source = await peek(bytes)
  const kind = kindOf(source.start, compression)
  let size = 0
  let zeros = 0
  try {
    for await (const chunk of unpacked(source.bytes, kind)) {
      if (isHole(chunk)) zeros += chunk.length
      else size += chunk.length
      const isBomb = size > RATIO_FLOOR && size > source.taken() * MAX_RATIO
      if (isBomb || zeros > MAX_ZEROS) throw bombError(name, source.taken())
      yield chunk
    }
  } catch (cause) {
    throw isCodecError(cause) ? damagedError(name, kind, cause) : cause
  } finally {
    await source.close()
  }
}

/**
 * What bytes are counts more than what their media type claims: podman pushes tars as gzip when the registry has
 * them, and every engine reads those.
 */
function kindOf(start: Uint8Array, claimed: ArchiveCompression | 'detect'): ArchiveCompression {
  if (claimed === 'none') return claimed
  const found = detectCompression(start)
  if (claimed === 'detect' || found !== 'none') return found
  const mark = Buffer.from(start.subarray(HEAD_SIZE - TAR_MARK.length, HEAD_SIZE))
  return mark.equals(Buffer.from(TAR_MARK)) ? 'none' : claimed
}

/** How bytes are packed; the result is the same. */
export interface CompressOptions {
  /** How many blocks, or frames of zstd, are packed at a time; default: as many as there are processors, and some more. */
  readonly atOnce?: () => number
  /** From little and fast to well and slow: gzip 0 to 9, zstd 1 to 22. Default: a balance. */
  readonly level?: number | undefined
  /** Gets what the descriptor of a zstd:chunked blob is to say, with its end. */
  readonly onAnnotations?: (annotations: Readonly<Record<string, string>>) => void
}

/** Packs while reading; equal bytes give equal bytes, however they arrive. */
export function compress(
  bytes: Bytes,
  compression: Compression,
  options: CompressOptions = {},
): Bytes {
  const { atOnce, level } = options
  switch (compression) {
    case 'none':
      return bytes
    case 'gzip':
      return gzip(bytes, atOnce, level)
    case 'zstd':
      return zstd(bytes, atOnce, level)
    case 'zstd:chunked':
      return chunked(bytes, options)
    default:
      return unreachable(compression)
  }
}

/** Loaded where it is asked for. */
async function* chunked(
  bytes: Bytes,
  {
    level = ZSTD_LEVEL,
    atOnce = () => MAX_IN_FLIGHT,
    onAnnotations = () => undefined,
  }: CompressOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { chunkedZstd } = await import('./chunked/chunked-zstd.ts')
  yield* chunkedZstd(bytes, {
    ...{ level, onAnnotations },
    atOnce: () => Math.min(atOnce(), MAX_IN_FLIGHT),
  })
}

function unpacked(bytes: Bytes, kind: ArchiveCompression): Bytes {
  switch (kind) {
    case 'none':
      return bytes
    case 'gzip':
      return pipeThrough(bytes, createGunzip({ chunkSize: CHUNK_SIZE }))
    case 'zstd':
    case 'zstd:chunked':
      return unzstd(bytes)
    case 'xz':
      return paced(unxz(paced(bytes)))
    case 'bzip2':
      return paced(unbzip2(paced(bytes)))
    default:
      return unreachable(kind)
  }
}

/** Lets the event loop run between two pieces, so that an abort is noticed. */
async function* paced(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of bytes) {
    yield chunk
    await setImmediate()
  }
}

interface Source {
  readonly start: Uint8Array
  /** All bytes, including the start. */
  readonly bytes: Bytes
  /** How many bytes have been read. */
  taken(): number
  close(): Promise<unknown>
}

async function peek(bytes: Bytes): Promise<Source> {
  const iterator = bytes[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  let taken = 0
  while (taken < HEAD_SIZE) {
    const next = await iterator.next()
    if (next.done) break
    first.push(next.value)
    taken += next.value.length
  }
  async function* all(): AsyncGenerator<Uint8Array, void, undefined> {
    yield* first
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      taken += next.value.length
      yield next.value
    }
  }
  return {
    start: Buffer.concat(first.map((chunk) => chunk.subarray(0, HEAD_SIZE))),
    bytes: all(),
    taken: () => taken,
    close: async () => iterator.return?.(),
  }
}

/** Other failures come from the source of the bytes and are passed on as they are. */
function isCodecError(cause: unknown): boolean {
  return /^(Z_|ZSTD_|ERR_ZSTD|ERR_CODEC)/.test(errnoOf(cause) ?? '')
}

function damagedError(name: string, kind: ArchiveCompression, cause: unknown): TsbuildError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new TsbuildError(`unpack ${name}: bad ${kind} data: ${reason}`, {
    code: 'LAYER_INVALID',
    cause,
    hint: 'the file is damaged or not what its media type says; fetch or pack it again',
  })
}

function bombError(name: string, taken: number): TsbuildError {
  return new TsbuildError(`unpack ${name}: more comes out of ${taken} bytes than is allowed`, {
    code: 'LAYER_INVALID',
    hint: 'this is how a decompression bomb looks; it was stopped',
  })
}

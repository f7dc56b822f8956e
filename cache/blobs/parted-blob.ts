/**
 * A blob that is kept in parts: a file that says which ranges of an earlier blob it has, and holds the bytes that
 * are not in that one. See docs/adr/0067-tars-in-parts.md
 *
 * The file has the pieces, then the recipe, then a trailer of fixed length: how long the two are, how long the
 * blob is, and the digits of the earlier one. The last 64 characters are the sha256 of all before them.
 */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, type Stats, writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import {
  type Digest,
  errnoOf,
  hexOf,
  ioError,
  parseDigest,
  TsbuildError,
  throwIfCancelled,
} from '#core'
import { storeError } from '../filesystem/failure.ts'
import { digestOfStart, READ_FLAGS } from './blob-file.ts'

const SUM_BYTES = 64
const TRAILER_BYTES = 192
const TRAILER = /^(\d{1,15}) (\d{1,15}) (\d{1,15}) ([0-9a-f]{64}) *([0-9a-f]{64})$/
const CHUNK_BYTES = 256 * 1024

/** Bytes that follow each other in the earlier blob, or among the pieces. */
export interface BlobPart {
  readonly from: 'earlier' | 'pieces'
  readonly position: number
  readonly size: number
}

/** How a blob is put together. */
export interface BlobRecipe {
  /** A blob that the store has as one file. */
  readonly earlier: Digest
  /** In the order of the blob. */
  readonly parts: readonly BlobPart[]
}

/** What the file of a blob's parts says, as far as that is known without reading all of it. */
export interface PartsTrailer {
  /** Bytes of the blob. */
  readonly size: number
  readonly earlier: Digest
  readonly pieceBytes: number
  readonly recipeBytes: number
  /** Of the file. */
  readonly found: Stats
}

/**
 * Makes the file of a blob's parts of one that has the pieces.
 * @throws {TsbuildError} NO_SPACE, IO_FAILED
 */
export function completeParts(path: string, { earlier, parts }: BlobRecipe): void {
  try {
    const fd = openSync(path, 'a+')
    try {
      const size = parts.reduce((sum, part) => sum + part.size, 0)
      const rows = parts.map((part) => [Number(part.from === 'pieces'), part.position, part.size])
      const recipe = JSON.stringify(rows)
      const facts = [fstatSync(fd).size, recipe.length, size, hexOf(earlier)].join(' ')
      append(fd, `${recipe}${facts.padEnd(TRAILER_BYTES - SUM_BYTES)}`)
      append(fd, hexOf(digestOfStart(fd)))
    } finally {
      closeSync(fd)
    }
  } catch (cause) {
    throw ioError(`write ${path}`, cause)
  }
}

function append(fd: number, text: string): void {
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
}

/** `undefined` when there is no such file; `damaged` for what is not one of parts. */
export function readTrailer(path: string): PartsTrailer | 'damaged' | undefined {
  try {
    const fd = openSync(path, READ_FLAGS)
    try {
      return trailerOf(fd) ?? 'damaged'
    } finally {
      closeSync(fd)
    }
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    if (errnoOf(cause) === 'ELOOP') return 'damaged'
    throw storeError(`read ${path}`, cause)
  }
}

function trailerOf(fd: number): PartsTrailer | undefined {
  const found = fstatSync(fd)
  if (!found.isFile() || found.size < TRAILER_BYTES) return undefined
  const text = readText(fd, found.size - TRAILER_BYTES, TRAILER_BYTES)
  const [, pieceBytes, recipeBytes, size, hex] = TRAILER.exec(text) ?? []
  if (hex === undefined) return undefined
  const trailer = {
    ...{ size: Number(size), earlier: parseDigest(`sha256:${hex}`), found },
    ...{ pieceBytes: Number(pieceBytes), recipeBytes: Number(recipeBytes) },
  }
  const isWhole = trailer.pieceBytes + trailer.recipeBytes + TRAILER_BYTES === found.size
  return isWhole ? trailer : undefined
}

function readText(fd: number, position: number, length: number): string {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; ) {
    const got = readSync(fd, bytes, at, length - at, position + at)
    if (got === 0) break
    at += got
  }
  return bytes.toString('latin1')
}

/** Whether the file of a blob's parts is as it was written; then it is on the disk when this returns. */
export function arePartsSound(path: string): boolean {
  const fd = openSync(path, READ_FLAGS)
  try {
    const trailer = trailerOf(fd)
    if (trailer === undefined) return false
    const length = trailer.found.size - SUM_BYTES
    fsyncSync(fd)
    return readText(fd, length, SUM_BYTES) === hexOf(digestOfStart(fd, length))
  } finally {
    closeSync(fd)
  }
}

/** Where the parts of a blob are. */
export interface PartFiles {
  /** The file of its parts. */
  readonly parts: string
  /** The earlier blob. */
  readonly earlier: string
}

/**
 * The bytes of a blob that is kept in parts; the consumer may keep each chunk, and verifies them.
 * @throws {TsbuildError} DIGEST_MISMATCH for files that cannot be its parts, CANCELLED
 */
export async function* readParts(
  files: PartFiles,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const doing = `read ${files.parts}`
  try {
    await using pieces = await open(files.parts, READ_FLAGS)
    await using earlier = await open(files.earlier, READ_FLAGS)
    for (const part of readRecipe(pieces.fd) ?? damaged(files.parts)) {
      const from = part.from === 'pieces' ? pieces : earlier
      for (let at = 0; at < part.size; ) {
        throwIfCancelled(signal, doing)
        const chunk = await readChunk(from, part.position + at, part.size - at)
        if (chunk.length === 0) damaged(files.parts)
        yield chunk
        at += chunk.length
      }
    }
  } catch (cause) {
    throw storeError(doing, cause)
  }
}

async function readChunk(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const wanted = Buffer.allocUnsafe(Math.min(length, CHUNK_BYTES))
  const { bytesRead, buffer } = await file.read(wanted, 0, wanted.length, position)
  return buffer.subarray(0, bytesRead)
}

function readRecipe(fd: number): readonly BlobPart[] | undefined {
  const trailer = trailerOf(fd)
  if (trailer === undefined) return undefined
  try {
    const rows = JSON.parse(readText(fd, trailer.pieceBytes, trailer.recipeBytes)) as unknown
    if (!Array.isArray(rows)) return undefined
    const parts = rows.map(toPart)
    return parts.every((part) => part !== undefined) ? parts : undefined
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined
    throw cause
  }
}

function toPart(row: unknown): BlobPart | undefined {
  const isRow = Array.isArray(row) && row.length === 3 && row.every(isCount)
  if (!isRow) return undefined
  const [kind, position, size] = row as [number, number, number]
  return { from: kind === 0 ? 'earlier' : 'pieces', position, size }
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function damaged(path: string): never {
  throw new TsbuildError(`${path} is not what was written`, { code: 'DIGEST_MISMATCH' })
}

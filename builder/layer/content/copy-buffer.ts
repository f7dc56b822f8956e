import { Buffer } from 'node:buffer'
import { fstatSync, readSync } from 'node:fs'
import { dataParts } from '#builder/linux'
import { checkpoint, type Name, TsbuildError } from '#core'
import { quote } from '../paths/quote.ts'

const SCRATCH_SIZE = 512 * 1024

/** A buffer through which content is copied: it is read into the buffer, and leaves it by `flush`. */
export interface CopyBuffer {
  /** May be another one after `flush`. */
  readonly buffer: Buffer
  /** Bytes of `buffer` that are taken. */
  used: number
  /** Empties the buffer. */
  flush(): void
}

/** Gets content while it is in the buffer, from `start` to `end`. */
export type Consume = (bytes: Buffer, start: number, end: number) => void

/** A buffer whose content is dropped, for copies that only `consume` gets. */
export function scratchBuffer(): CopyBuffer {
  return {
    buffer: Buffer.allocUnsafeSlow(SCRATCH_SIZE),
    used: 0,
    flush() {
      this.used = 0
    },
  }
}

/** An open file, and the size that it is expected to have. */
export interface FileContent {
  readonly fd: number
  /** For errors. */
  readonly path: Name
  /** Bytes. */
  readonly size: number
}

/**
 * Copies all bytes of a file through a buffer.
 * @throws {TsbuildError} IO_FAILED when it has more or fewer bytes than expected, CANCELLED
 */
export function copyFile(content: FileContent, to: CopyBuffer, consume: Consume): void {
  const { fd, path, size } = content
  for (let left = size; left > 0; ) {
    checkpoint()
    if (to.used === to.buffer.length) to.flush()
    const { buffer, used: start } = to
    // One byte more than expected: the same call shows that the file ends there.
    const wanted = Math.min(buffer.length - start, left + 1)
    const got = readSync(fd, buffer, start, wanted, null)
    if (got === 0 || got > left) checkSize(path, size, size - left + got)
    consume(buffer, start, start + got)
    to.used = start + got
    left -= got
    if (left === 0 && wanted > got) return
  }
  if (readSync(fd, Buffer.allocUnsafe(1), 0, 1, null) > 0) checkSize(path, size, size + 1)
}

/**
 * Copies all bytes of a file as `copyFile`, but for its holes, which are not read: `onHole` gets their lengths.
 * @throws {TsbuildError} IO_FAILED when it has more or fewer bytes than expected, CANCELLED
 */
export function copySparse(
  { fd, path, size }: FileContent,
  to: CopyBuffer,
  { consume, onHole }: { readonly consume: Consume; readonly onHole: (length: number) => void },
): void {
  let position = 0
  for (const { start, end } of dataParts(fd)) {
    if (end > size) checkSize(path, size, end)
    if (start > position) onHole(start - position)
    for (position = start; position < end; ) {
      checkpoint()
      if (to.used === to.buffer.length) to.flush()
      const { buffer, used } = to
      const got = readSync(fd, buffer, used, Math.min(buffer.length - used, end - position), null)
      if (got === 0) checkSize(path, size, position)
      consume(buffer, used, used + got)
      to.used = used + got
      position += got
    }
  }
  checkSize(path, size, fstatSync(fd).size)
  if (size > position) onHole(size - position)
}

/** @throws {TsbuildError} IO_FAILED when a file has more or fewer bytes (`got`) than expected */
export function checkSize(path: Name, size: number, got: number): void {
  if (got > size) throw changedFileError(path, `grew beyond ${size} bytes`)
  if (got < size) {
    throw changedFileError(path, `shrank: ${size - got} of ${size} bytes are missing`)
  }
}

/** Copies bytes through a buffer. */
export function copyBytes(data: Uint8Array, to: CopyBuffer, consume: Consume): void {
  for (let at = 0; at < data.length; ) {
    if (to.used === to.buffer.length) to.flush()
    const start = to.used
    const room = to.buffer.length - start
    to.buffer.set(data.subarray(at, at + room), start)
    const copied = Math.min(room, data.length - at)
    consume(to.buffer, start, start + copied)
    to.used += copied
    at += copied
  }
}

function changedFileError(path: Name, how: string): TsbuildError {
  return new TsbuildError(`read ${quote(path)}: the file ${how} while it was read`, {
    code: 'IO_FAILED',
    hint: 'let whatever writes to it finish, then build again',
  })
}

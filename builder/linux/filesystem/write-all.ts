import { writeSync } from 'node:fs'

/** Writes all of `bytes` at a position in a file. */
export function writeAt(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(fd, bytes, at, bytes.length - at, position + at)
  }
}

/** Writes all of `bytes[start, end)` at the file's offset: a single call may write less. */
export function writeFully(
  fd: number,
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
): void {
  for (let at = start; at < end; ) at += writeSync(fd, bytes, at, end - at)
}

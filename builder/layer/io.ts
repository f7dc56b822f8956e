import { writeSync } from 'node:fs'

/** Writes all of `bytes[start, end)`: a single write may be cut short. */
export function writeFully(fd: number, bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; ) at += writeSync(fd, bytes, at, end - at)
}

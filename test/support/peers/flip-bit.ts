import { chmodSync, lstatSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'

/** Damages a file as a disk does: its mode and its times stay. */
export function flipBit(path: string, at: number): void {
  const { atimeMs, mtimeMs, mode } = lstatSync(path)
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  chmodSync(path, 0o644)
  writeFileSync(path, bytes)
  chmodSync(path, mode)
  utimesSync(path, atimeMs / 1000, mtimeMs / 1000)
}

import { Buffer } from 'node:buffer'
import { fstatSync, type Stats, writeSync } from 'node:fs'
import { errnoOf } from '#core'
import type { TextOutput } from './shell.ts'

/** `makedev(1, 3)`, as Linux numbers it. */
const DEV_NULL = 0x103
/** Milliseconds after which a full pipe is tried again that another process has made non-blocking. */
const PAUSE = 2

/**
 * A descriptor to which text can be written at once, as Node does on Linux, without its streams, which take 3 ms to
 * load: a pipe, a socket, a file or /dev/null. `undefined` for a terminal and all else. What cannot be written is
 * dropped.
 */
export function plainOutput(descriptor: number): TextOutput | undefined {
  if (!isPlain(descriptor)) return undefined
  return { write: (text) => writeAll(descriptor, Buffer.from(text)) }
}

function isPlain(descriptor: number): boolean {
  let stats: Stats
  try {
    stats = fstatSync(descriptor)
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return false
  }
  const isNull = stats.isCharacterDevice() && stats.rdev === DEV_NULL
  return isNull || stats.isFIFO() || stats.isSocket() || stats.isFile()
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(descriptor, bytes, written)
    } catch (cause) {
      if (errnoOf(cause) === 'EAGAIN') pause()
      else if (errnoOf(cause) === undefined) throw cause
      else return
    }
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE)
}

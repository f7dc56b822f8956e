import { once } from 'node:events'
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { throwIfCancelled } from '#core'
import { O_PATH } from '#disk'

/** What is read, and what is not. */
export interface NamedFileOptions {
  /** Bytes; what holds more is refused. */
  readonly limit: number
  /** The error for what is not read; `why` is `it is a device`, say, and names no file. */
  readonly refuse: (why: string, reason: 'kind' | 'size') => Error
}

const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY
const CHUNK = 64 * 1024

/**
 * Reads a file that a user names: a regular one, or a pipe (`<(command)`, a FIFO) to its end. What is
 * at `path` is looked at through a descriptor that does nothing else, and read through the same: so it
 * cannot be exchanged in between, and no device is opened. @throws as open(2) and read(2) fail, what
 * `refuse` makes, CANCELLED
 */
export async function readNamedFile(
  path: string,
  options: NamedFileOptions & { readonly signal?: AbortSignal | undefined },
): Promise<Buffer> {
  const { descriptor, stat } = openNamed(path, options, (found) => found.isFile() || found.isFIFO())
  if (stat.isFIFO()) return await readPipe(descriptor, options)
  return readAndClose(descriptor, options)
}

/** The same for one of many files: a pipe among them, which may never end, is refused as well. */
export function readRegularFile(path: string, options: NamedFileOptions): Buffer {
  return readAndClose(openNamed(path, options, (found) => found.isFile()).descriptor, options)
}

/**
 * What is left to read of a regular file, at most `limit` bytes. The descriptor stays open.
 * @throws what `refuse` makes
 */
export function readBounded(descriptor: number, { limit, refuse }: NamedFileOptions): Buffer {
  const chunks: Buffer[] = []
  // Not by its size: files of /proc have none, and others may grow.
  for (let size = 0; ; ) {
    const chunk = Buffer.allocUnsafe(CHUNK)
    const length = readSync(descriptor, chunk)
    if (length === 0) return Buffer.concat(chunks, size)
    size += length
    if (size > limit) throw refuse(tooLong(limit), 'size')
    chunks.push(chunk.subarray(0, length))
  }
}

function openNamed(
  path: string,
  { refuse }: NamedFileOptions,
  isWanted: (stat: Stats) => boolean,
): { readonly descriptor: number; readonly stat: Stats } {
  const place = openSync(path, O_PATH)
  try {
    const stat = fstatSync(place)
    if (!isWanted(stat)) throw refuse(`it is ${kindOf(stat)}`, 'kind')
    return { descriptor: openSync(`/proc/self/fd/${place}`, READ), stat }
  } finally {
    closeSync(place)
  }
}

function readAndClose(descriptor: number, options: NamedFileOptions): Buffer {
  try {
    return readBounded(descriptor, options)
  } finally {
    closeSync(descriptor)
  }
}

/** Reads as events arrive: a writer may come and go on at any time. */
async function readPipe(
  descriptor: number,
  { limit, refuse, signal }: NamedFileOptions & { readonly signal?: AbortSignal | undefined },
): Promise<Buffer> {
  // Loaded when needed: few builds read a pipe.
  const { Socket } = await import('node:net')
  const pipe = new Socket({ fd: descriptor, readable: true, writable: false })
  const stop = (): void => void pipe.destroy()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const chunks: Buffer[] = []
    let size = 0
    if (signal?.aborted !== true) {
      for await (const chunk of pipe as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > limit) throw refuse(tooLong(limit), 'size')
        chunks.push(chunk)
      }
    }
    throwIfCancelled(signal, 'read a pipe')
    return Buffer.concat(chunks, size)
  } catch (cause) {
    throwIfCancelled(signal, 'read a pipe')
    throw cause
  } finally {
    signal?.removeEventListener('abort', stop)
    pipe.destroy()
    if (!pipe.closed) await once(pipe, 'close')
  }
}

function tooLong(limit: number): string {
  return `it has more than ${limit} bytes`
}

function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return 'a folder'
  if (stat.isFIFO()) return 'a pipe'
  if (stat.isSocket()) return 'a socket'
  return 'a device'
}

import {
  closeSync,
  constants,
  createWriteStream,
  fstatSync,
  openSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { PendingFile } from '#builder/linux'
import { ioError, TsbuildError, throwIfCancelled } from '#core'
import { readFile } from './read-file.ts'

/** Where an archive goes. */
export type Destination =
  /** It gets its name when it is complete. */
  | { readonly kind: 'file'; readonly path: string; readonly file: PendingFile }
  /** `end`: it is closed after the last byte. */
  | { readonly kind: 'stream'; readonly sink: Writable; readonly end: boolean }

/**
 * Opens the destination of an archive. A device or a pipe, such as `/dev/null`, is written to as it is
 * and never replaced.
 * @throws {TsbuildError} IO_FAILED, NO_SPACE, PERMISSION_DENIED
 */
export function openDestination(dest: string | Writable): Destination {
  if (typeof dest !== 'string') return { kind: 'stream', sink: dest, end: false }
  try {
    const found = statSync(dest, { throwIfNoEntry: false })
    if (found !== undefined && !found.isFile() && !found.isDirectory()) return openSpecial(dest)
    const path = found === undefined ? dest : realpathSync(dest)
    return { kind: 'file', path, file: new PendingFile(path) }
  } catch (cause) {
    throw ioError(`write ${dest}`, cause)
  }
}

/** Opened for reading as well, so that opening does not wait for a pipe's reader. */
function openSpecial(path: string): Destination {
  const fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY)
  if (!fstatSync(fd).isFile()) {
    return { kind: 'stream', sink: createWriteStream('', { fd }), end: true }
  }
  closeSync(fd)
  throw new TsbuildError(`write ${path}: something puts other files in its place`, {
    code: 'IO_FAILED',
  })
}

/** Writes a whole file to a device, a pipe or a stream. */
export async function sendFile(
  file: string,
  { sink, end }: Extract<Destination, { kind: 'stream' }>,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    // As a stream: an iterator would wait for a blocked sink even after the signal is aborted.
    const source = Readable.from(readFile(file))
    await pipeline(source, sink, { end, ...(signal === undefined ? {} : { signal }) })
  } catch (cause) {
    throwIfCancelled(signal, 'write the archive')
    throw cause
  }
}

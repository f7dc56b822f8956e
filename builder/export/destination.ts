import { createWriteStream, realpathSync, statSync } from 'node:fs'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { throwIfCancelled } from '#core'
import { readFile } from './read-file.ts'

/** Where an archive goes. */
export type Destination =
  /** It is written to `partial` first, and gets its name when it is complete. */
  | { readonly kind: 'file'; readonly path: string; readonly partial: string }
  /** `end`: nobody else closes it. */
  | { readonly kind: 'stream'; readonly sink: Writable; readonly end: boolean }

/** A device or a pipe, `/dev/null` say, is written to as it is; nothing may take its place. */
export function openDestination(dest: string | Writable): Destination {
  if (typeof dest !== 'string') return { kind: 'stream', sink: dest, end: false }
  const found = statSync(dest, { throwIfNoEntry: false })
  if (found !== undefined && !found.isFile() && !found.isDirectory()) {
    return { kind: 'stream', sink: createWriteStream(dest, { flags: 'r+' }), end: true }
  }
  const path = found === undefined ? dest : realpathSync(dest)
  return { kind: 'file', path, partial: `${path}.part` }
}

/** Writes a whole file to a device, a pipe or a stream. */
export async function sendFile(
  file: string,
  { sink, end }: Extract<Destination, { kind: 'stream' }>,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    // As a stream: a mere iterator would wait for a sink that takes nothing, whatever the signal says.
    const source = Readable.from(readFile(file))
    await pipeline(source, sink, { end, ...(signal === undefined ? {} : { signal }) })
  } catch (cause) {
    throwIfCancelled(signal, 'write the archive')
    throw cause
  }
}

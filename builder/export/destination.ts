import { createWriteStream, realpathSync, statSync } from 'node:fs'
import type { Writable } from 'node:stream'

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

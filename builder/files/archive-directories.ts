import { once } from 'node:events'
import type { Header } from 'tar-stream'
import { type Bytes, type Name, textOfName } from '#core'
import { belowRoot } from './paths.ts'

/**
 * Passes a tar on and collects the directories that it names: what the archive says of them
 * replaces what the image has, and a directory that is only on the way to a file does not.
 */
export async function* namedDirectories(
  tar: Bytes,
  names: Set<Name>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { extract } = await import('tar-stream')
  // The package reads both options, and its types name neither.
  const reader = extract({ filenameEncoding: 'latin1', allowUnknownFormat: true } as object)
  let isBroken = false
  reader.on('error', () => {
    // Whoever unpacks the same bytes tells what is wrong with them.
    isBroken = true
  })
  reader.on('entry', (header, content, next) => {
    if (header.type === 'directory') names.add(belowRoot(textOfHeader(header)))
    content.on('end', next)
    content.resume()
  })
  for await (const chunk of tar) {
    if (!isBroken && !reader.write(chunk)) await once(reader, 'drain').catch(() => undefined)
    yield chunk
  }
}

/** Only names from PAX records were read as UTF-8. */
function textOfHeader({ name, pax }: Header): string {
  const isPax = typeof pax === 'object' && pax !== null && 'path' in pax
  return isPax ? name : textOfName(name as Name)
}

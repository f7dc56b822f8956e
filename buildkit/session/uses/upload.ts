import type { Buffer } from 'node:buffer'
import { BYTES_MESSAGE } from '#buildkit/messages'
import { type Bytes, type TransferOptions, TsbuildError } from '#core'
import type { Caller } from '../session.ts'

const PULL = '/moby.upload.v1.Upload/Pull'

/** The host of URLs that clients serve in their sessions. Spec: BuildKit, source/http/transport.go */
const HOST = 'buildkit-session'

/**
 * Whether a context is what the client has on its standard input, or the like.
 * @internal
 */
export function isUploadUrl(text: string): boolean {
  return URL.canParse(text) && new URL(text).host === HOST && text.startsWith('http')
}

/**
 * What a client sends for a URL that is its own, once: an archive or a Dockerfile. Nothing is asked before it is read.
 * @throws {TsbuildError} USAGE for any other URL; the bytes throw `CallError`s
 */
export function openUpload(session: Caller, url: string, options: TransferOptions = {}): Bytes {
  if (!isUploadUrl(url)) {
    throw new TsbuildError(`${JSON.stringify(url.slice(0, 200))} is not a URL of a session`, {
      code: 'USAGE',
    })
  }
  return pull(session, new URL(url), options)
}

async function* pull(
  session: Caller,
  { pathname, host }: URL,
  { signal }: TransferOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const call = session.open(PULL, { metadata: { urlpath: pathname, urlhost: host }, signal })
  call.end()
  for await (const message of call.messages) {
    const { data } = BYTES_MESSAGE.decode(message)
    if (data.length > 0) yield data
  }
}

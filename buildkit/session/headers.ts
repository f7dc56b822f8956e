import { Buffer } from 'node:buffer'
import type { OutgoingHttpHeaders } from 'node:http2'
import { TsbuildError } from '#core'

/** What accompanies a call; a list is sent as that many headers. */
export type Metadata = Readonly<Record<string, string | readonly string[]>>

/** Bytes of names and values of what is sent with a call. */
const MOST_BYTES = 512 * 1024
/** Of one value: HTTP/2 fails at more than 64 KiB, and not only the call. */
const MOST_VALUE = 32 * 1024
const KEY = /^[0-9a-z_.-]+$/
const RESERVED = /^(?:grpc-.*|te|content-type|content-length|user-agent|host|connection)$/
const PRINTABLE = /^[\x20-\x7e]*$/

/**
 * The headers of a request. Spec: gRPC, PROTOCOL-HTTP2.md
 * @throws {TsbuildError} USAGE for metadata that cannot be sent
 */
export function requestHeaders(method: string, metadata: Metadata = {}): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = {
    ':method': 'POST',
    ':scheme': 'http',
    ':authority': 'localhost',
    ':path': method,
    te: 'trailers',
    'content-type': 'application/grpc',
    'grpc-accept-encoding': 'identity',
    'user-agent': 'tsbuild',
  }
  let bytes = 0
  for (const [key, given] of Object.entries(metadata)) {
    const values = typeof given === 'string' ? [given] : given
    if (!KEY.test(key) || RESERVED.test(key))
      throw unsentError(`${JSON.stringify(key)} is not a name`)
    for (const value of values) {
      if (!PRINTABLE.test(value)) throw unsentError(`the value of ${key} is not printable ASCII`)
      if (value.length > MOST_VALUE) throw unsentError(`the value of ${key} is too long`)
      bytes += key.length + value.length + 32
    }
    if (values.length > 0) headers[key] = [...values]
  }
  if (bytes > MOST_BYTES) throw unsentError(`it has more than ${MOST_BYTES} bytes`)
  return headers
}

function unsentError(why: string): TsbuildError {
  return new TsbuildError(`metadata of a call to the client: ${why}`, { code: 'USAGE' })
}

/** Characters of a message that is passed on. */
const MOST_TEXT = 8 * 1024

/**
 * The text of the trailer `grpc-message`. What is malformed stays as it is; control characters, which could move a
 * terminal's cursor, become spaces.
 */
export function messageText(encoded: string): string {
  const bytes = encoded
    .slice(0, 3 * MOST_TEXT)
    .replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  const text = Buffer.from(bytes, 'latin1').toString()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.slice(0, MOST_TEXT).replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, ' ')
}

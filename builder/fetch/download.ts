import { writeFile } from 'node:fs/promises'
import { type Bytes, type Digest, Digester, ioError, throwIfCancelled } from '#core'
import {
  compose,
  destinationOf,
  followingRedirects,
  type HttpResponse,
  locationUrl,
  mayLeadTo,
  retrying,
  type Timing,
  type Transport,
  withHeaders,
  withOriginHeaders,
} from '#http'
import { downloadError, exchangeError } from './download-error.ts'
import { redacted } from './http-source.ts'

/** One file, and what is sent to get it. */
export interface DownloadRequest {
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Sent to the URL's own origin only. Names in lower case. */
  readonly secretHeaders: Readonly<Record<string, string>>
  /** A redirect from https to http is followed: the content is checked in another way. */
  readonly mayDowngrade: boolean
  readonly signal: AbortSignal | undefined
}

/**
 * Sends one GET, with retries, and follows redirects. The answer is any other than a redirect; the body
 * of a 2xx one is a stream.
 * @throws {TsbuildError} DOWNLOAD_FAILED, CANCELLED
 */
export async function request(
  transport: Transport,
  wanted: DownloadRequest,
  timing: Timing,
): Promise<HttpResponse> {
  const { url: first, mayDowngrade, signal } = wanted
  let url = first
  const send = compose(
    (one) => transport.send(one, destinationOf(one.url, first)),
    withHeaders({ 'user-agent': 'tsbuild', 'accept-encoding': 'identity' }),
    retrying(timing),
    withOriginHeaders(first.origin, wanted.secretHeaders),
    followingRedirects((location, from) => {
      url = redirectTarget(location, { from, first, mayDowngrade })
      return url
    }),
  )
  try {
    return await send({ method: 'GET', url, headers: wanted.headers, answer: 'stream', signal })
  } catch (cause) {
    throwIfCancelled(signal, `download ${redacted(first)}`)
    throw exchangeError(cause, { url, first })
  }
}

/**
 * Writes a body to a new file of mode 0600.
 * @throws {BrokenBodyError} when the connection broke; {TsbuildError} NO_SPACE, IO_FAILED
 */
export async function save(
  response: HttpResponse,
  path: string,
  onBytes: (total: number) => void,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const digester = new Digester()
  async function* passing(bytes: Bytes): Bytes {
    try {
      for await (const chunk of bytes) {
        digester.update(chunk)
        onBytes(digester.size)
        yield chunk
      }
    } catch (cause) {
      throw new BrokenBodyError('the connection broke', { cause })
    }
  }
  const bytes = response.stream?.bytes ?? [response.body]
  try {
    await writeFile(path, passing(iterated(bytes)), { mode: 0o600 })
  } catch (cause) {
    throw cause instanceof BrokenBodyError ? cause : ioError(`write ${path}`, cause)
  } finally {
    response.stream?.discard()
  }
  return { digest: digester.digest(), size: digester.size }
}

/** A download that ended too early: worth another attempt. */
export class BrokenBodyError extends Error {}

async function* iterated(bytes: Bytes | readonly Uint8Array[]): Bytes {
  yield* bytes
}

function redirectTarget(
  location: string,
  { from, first, mayDowngrade }: { from: URL; first: URL; mayDowngrade: boolean },
): URL {
  const url = locationUrl(location, from)
  if (url === undefined) throw downloadError(first, 'it is redirected to no URL')
  const redirectError = (where: string, hint: string): Error =>
    downloadError(first, `it is redirected ${where}`, { hint })
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw redirectError(`to a ${url.protocol} address`, 'only http and https are followed')
  }
  if (from.protocol === 'https:' && url.protocol === 'http:' && !mayDowngrade) {
    throw redirectError('from https to http', 'say with --checksum what the file has to be')
  }
  if (!mayLeadTo(url, first)) {
    const hint = 'if that is right, use that address itself'
    throw redirectError(`to the local address ${url.host}`, hint)
  }
  return url
}

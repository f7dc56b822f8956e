import { writeFile } from 'node:fs/promises'
import { type Bytes, type Digest, Digester, ioError, TsbuildError, throwIfCancelled } from '#core'
import {
  type HttpResponse,
  isLoopback,
  mayLeadTo,
  networkCode,
  type Route,
  retrying,
  type Send,
  type Timing,
  type Wire,
} from '#registry-client'
import { redacted } from './http-source.ts'

export interface DownloadRequest {
  readonly url: URL
  /** Names in lower case. Those of a secret kind go to the URL's own origin only. */
  readonly headers: Readonly<Record<string, string>>
  readonly secretHeaders: Readonly<Record<string, string>>
  /** A redirect from https to http is followed: what comes is checked in another way. */
  readonly mayDowngrade: boolean
  /** Is told where each redirect leads. */
  readonly onRedirect?: (url: URL) => void
  readonly signal: AbortSignal | undefined
}

const MAX_REDIRECTS = 10
const REDIRECTS = new Set([301, 302, 303, 307, 308])
const MAX_DOCUMENT = 64 * 1024

/**
 * Sends one GET, and again where that may help, and follows redirects. The answer is any that is no
 * redirect; the body of a good one is a stream.
 * @throws {TsbuildError} DOWNLOAD_FAILED, CANCELLED
 */
export async function request(
  wire: Wire,
  { url: first, ...wanted }: DownloadRequest,
  timing: Timing,
): Promise<HttpResponse> {
  let url = first
  try {
    for (let hops = 0; ; hops++) {
      const isOwn = url.origin === first.origin
      const send: Send = retrying(timing)((one) => wire.send(one, routeTo(url, first)))
      const response = await send({
        method: 'GET',
        url,
        headers: {
          'user-agent': 'tsbuild',
          'accept-encoding': 'identity',
          ...wanted.headers,
          ...(isOwn ? wanted.secretHeaders : {}),
        },
        answer: 'stream',
        limit: MAX_DOCUMENT,
        scopes: [],
        signal: wanted.signal,
      })
      const { location } = response.headers
      if (location === undefined || !REDIRECTS.has(response.status)) return response
      if (hops >= MAX_REDIRECTS) throw failed(first, `more than ${MAX_REDIRECTS} redirects`)
      url = redirected(location, { from: url, first, mayDowngrade: wanted.mayDowngrade })
      wanted.onRedirect?.(url)
    }
  } catch (cause) {
    throwIfCancelled(wanted.signal, `download ${redacted(first)}`)
    throw broken(url, cause)
  }
}

/**
 * Writes a body to a new file of mode 0600.
 * @throws {BrokenBody} when the connection broke; {TsbuildError} NO_SPACE, IO_FAILED
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
      throw new BrokenBody('the connection broke', { cause })
    }
  }
  const bytes = response.stream?.bytes ?? [response.body]
  try {
    await writeFile(path, passing(iterated(bytes)), { mode: 0o600 })
  } catch (cause) {
    throw cause instanceof BrokenBody ? cause : ioError(`write ${path}`, cause)
  } finally {
    response.stream?.discard()
  }
  return { digest: digester.digest(), size: digester.size }
}

/** A download that ended too early: worth another attempt. */
export class BrokenBody extends Error {}

/** What a failed exchange or an unwanted answer is told as. */
export function failed(url: URL, reason: string, options: FailedOptions = {}): TsbuildError {
  return new TsbuildError(`download ${redacted(url)}: ${reason}`, {
    code: 'DOWNLOAD_FAILED',
    ...options,
  })
}

interface FailedOptions {
  readonly cause?: unknown
  readonly hint?: string
}

/** Turns what the network threw into a failure that a user can act on. */
export function broken(url: URL, cause: unknown): TsbuildError {
  if (cause instanceof TsbuildError) return cause
  const code = networkCode(cause)
  if (code === undefined || !(cause instanceof Error)) throw cause
  const [reason, hint] = explain(code, { message: cause.message, host: url.host })
  return failed(url, reason, { cause, hint })
}

function explain(
  code: string,
  { message, host }: { readonly message: string; readonly host: string },
): readonly [reason: string, hint: string] {
  if (code === 'ECONNREFUSED') return ['connection refused', `is there a server on ${host}?`]
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return ['no such host', `check the spelling of ${host} and the network's name service`]
  }
  if (/SSL|TLS|CERT|SELF_SIGNED|UNABLE_TO|EPROTO/.test(code)) {
    return [`TLS failed: ${message}`, 'trust its certificate with NODE_EXTRA_CA_CERTS']
  }
  if (/TIMEOUT|ETIMEDOUT/.test(code)) return ['timed out', `is ${host} up, and can it be reached?`]
  return [message, 'try again later']
}

async function* iterated(bytes: Bytes | readonly Uint8Array[]): Bytes {
  yield* bytes
}

/** A host that an answer names must not lead back to this machine, unless that is where we are. */
function routeTo(url: URL, first: URL): Route {
  if (url.host === first.host) return 'registry'
  return isLoopback(first.hostname) ? 'neighbour' : 'foreign'
}

function redirected(
  location: string,
  { from, first, mayDowngrade }: { from: URL; first: URL; mayDowngrade: boolean },
): URL {
  if (!URL.canParse(location, from.href)) throw failed(first, 'it is redirected to no URL')
  const url = new URL(location, from)
  url.username = ''
  url.password = ''
  url.hash = ''
  const misled = (where: string, hint: string): TsbuildError =>
    failed(first, `it is redirected ${where}`, { hint })
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw misled(`to a ${url.protocol} address`, 'only http and https are followed')
  }
  if (from.protocol === 'https:' && url.protocol === 'http:' && !mayDowngrade) {
    throw misled('from https to http', 'say with --checksum what the file has to be')
  }
  if (!mayLeadTo(url, first)) {
    throw misled(`to the local address ${url.host}`, 'if that is right, use that address itself')
  }
  return url
}

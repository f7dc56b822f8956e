import type { Bytes } from '#core'
import type { OpenBytes } from './body.ts'

type Method = 'DELETE' | 'GET' | 'HEAD' | 'PATCH' | 'POST' | 'PUT'

/** A document can be sent again as it is; a stream is opened once for each request. */
type RequestBody =
  | { readonly kind: 'document'; readonly bytes: Uint8Array }
  | { readonly kind: 'stream'; readonly open: OpenBytes; readonly size?: number | undefined }

/** One request. Plain data, so that middleware can change it and send it again. */
export interface HttpRequest {
  readonly method: Method
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: RequestBody | undefined
  /**
   * `document` (default): the body of the answer is read at once. `stream`: the body of a 2xx answer
   * is handed out unread; every other one is read.
   */
  readonly answer?: 'document' | 'stream' | undefined
  /** Bytes that the body of a good answer (2xx) may have; 1 MiB by default, and always for any other. */
  readonly limit?: number | undefined
  /** How often it is sent at most; 1: no retries. */
  readonly attempts?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** The answer to a request, whatever its status is. */
export interface HttpResponse {
  readonly status: number
  /** Where the answer came from, after redirects. */
  readonly url: URL
  /** Names in lower case, repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** Empty when `stream` is there. */
  readonly body: Buffer
  readonly stream?: AnswerStream
}

/** A body that is not read yet: it holds a connection until it is read to its end or discarded. */
export interface AnswerStream {
  readonly bytes: Bytes
  discard(): void
}

/** One HTTP exchange. Everything a client adds (auth, retry, redirects) is a function over this. */
export type Send = (request: HttpRequest) => Promise<HttpResponse>

/** Adds something to an exchange by wrapping the function that makes it. */
export type Middleware = (next: Send) => Send

/** `compose(send, retry, auth)` sends through auth first, then retry, then `send`. */
export function compose(send: Send, ...middleware: readonly Middleware[]): Send {
  return middleware.reduce((inner, wrap) => wrap(inner), send)
}

/** Adds headers to every request. */
export function withHeaders(headers: Readonly<Record<string, string>>): Middleware {
  return (next) => (request) => next({ ...request, headers: { ...request.headers, ...headers } })
}

/**
 * Adds headers to requests to one origin. It belongs inside of the middleware that follows redirects,
 * so that what the headers hold does not reach another origin.
 */
export function withOriginHeaders(
  origin: string,
  headers: Readonly<Record<string, string>>,
): Middleware {
  const add = withHeaders(headers)
  return (next) => {
    const sendWithHeaders = add(next)
    return (request) => (request.url.origin === origin ? sendWithHeaders : next)(request)
  }
}

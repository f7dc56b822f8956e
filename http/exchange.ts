import type { Bytes } from '#core'
import type { OpenBytes } from '../registry-client/repository/bytes.ts'

type Method = 'DELETE' | 'GET' | 'HEAD' | 'PATCH' | 'POST' | 'PUT'

/** A document can be sent again as it is; a stream is opened once for each request. */
type RequestBody =
  | { readonly kind: 'document'; readonly bytes: Uint8Array }
  | { readonly kind: 'stream'; readonly open: OpenBytes; readonly size?: number | undefined }

export interface HttpRequest {
  readonly method: Method
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: RequestBody | undefined
  /** `stream`: a good answer's body is handed out unread. Every other body is read at once. */
  readonly answer: 'document' | 'stream'
  /** Bytes that the body of a document may have. */
  readonly limit: number
  /** What a token has to allow. Spec: distribution token scope, `repository:NAME:ACTIONS`. */
  readonly scopes: readonly string[]
  /** How often it is sent at most; 1: never again, whatever happens. */
  readonly attempts?: number | undefined
  readonly signal?: AbortSignal | undefined
}

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

/** A body that is still on its way: it holds a connection until it is read or discarded. */
export interface AnswerStream {
  readonly bytes: Bytes
  discard(): void
}

/** One HTTP exchange. Everything the client adds (auth, retry, redirects) is a function over this. */
export type Send = (request: HttpRequest) => Promise<HttpResponse>
export type Layer = (next: Send) => Send

/** `compose(wire, retry, auth)` sends through auth first, then retry, then the wire. */
export function compose(send: Send, ...layers: readonly Layer[]): Send {
  return layers.reduce((inner, layer) => layer(inner), send)
}

/** Adds a header to every request. */
export function withHeader(name: string, value: string): Layer {
  return (next) => (request) => next({ ...request, headers: { ...request.headers, [name]: value } })
}

const MAX_WARNING = 4096

/** Hands over the `Warning` headers of answers, each text once. Spec: distribution-spec v1.1 #warnings */
export function reportWarnings(report: (text: string) => void): Layer {
  const seen = new Set<string>()
  return (next) => async (request) => {
    const response = await next(request)
    const header = response.headers.warning?.slice(0, MAX_WARNING) ?? ''
    for (const [, quoted = ''] of header.matchAll(/\b299 - "((?:[^"\\]|\\.)*)"/g)) {
      const text = quoted.replace(/\\(.)/g, '$1')
      if (seen.has(text)) continue
      seen.add(text)
      report(text)
    }
    return response
  }
}

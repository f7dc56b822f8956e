import type { IncomingMessage } from 'node:http'

/** One request as it came in. */
export interface RecordedRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Bytes of the body that arrived. */
  bodySize: number
  /** What was answered; 0 when nothing was. */
  status: number
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
}

export function record(request: IncomingMessage): RecordedRequest {
  const { method = '', url = '', headers } = request
  const flat = Object.entries(headers).map(([name, value]) => [name, String(value)])
  return { method, url, headers: Object.fromEntries(flat), at: Date.now(), bodySize: 0, status: 0 }
}

/** Spec: distribution-spec v1.1 #error-codes */
export function errorReply(status: number, code: string, message: string): Reply {
  return jsonReply(status, { errors: [{ code, message }] })
}

export function jsonReply(status: number, document: unknown): Reply {
  const headers = { 'content-type': 'application/json' }
  return { status, headers, body: JSON.stringify(document) }
}

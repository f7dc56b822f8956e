/** Failures of an exchange for which Node has no code. */
export type HttpErrorCode =
  /** A name leads to an address that its destination may not have. */
  | 'ADDRESS_NOT_ALLOWED'
  /** A document has more bytes than the request allows. */
  | 'ANSWER_TOO_LARGE'
  /** No bytes of a body came for too long. */
  | 'BODY_TIMEOUT'
  /** The peer closed the connection in the middle of an exchange. */
  | 'CONNECTION_CLOSED'
  | 'CONNECT_TIMEOUT'
  /** The head of an answer did not come in time. */
  | 'HEADERS_TIMEOUT'
  /** What came is not HTTP, or has a head that does not end. */
  | 'NOT_HTTP'
  /** A proxy does not allow this, or wants another user. */
  | 'PROXY_DENIED'
  /** A proxy cannot reach the host, or does not speak its protocol. */
  | 'PROXY_FAILED'
  | 'PROXY_UNREACHABLE'
  | 'TOO_MANY_REDIRECTS'
  /** Bytes of a body come, but hardly any. */
  | 'TOO_SLOW'

/**
 * An exchange that failed in a way that Node has no code for; everything else is thrown as Node's own
 * error. A client wraps both in what it was doing: see `networkFailure`.
 */
export class HttpError extends Error {
  readonly code: HttpErrorCode

  constructor(
    message: string,
    options: { readonly code: HttpErrorCode; readonly cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HttpError'
    this.code = options.code
  }
}

/** A failure of Node's client or of a connection, as what an exchange throws. */
export function toHttpError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new HttpError('the head of the answer is too large', { code: 'NOT_HTTP' })
  }
  // It keeps the bytes that it could not parse, and these may hold a token.
  if (code.startsWith('HPE_')) return new HttpError('the answer is not HTTP', { code: 'NOT_HTTP' })
  const isClosed = error instanceof Error && CLOSED.has(error.message)
  return isClosed ? closedError(error) : error
}

/** What Node's client says, as ECONNRESET, of a connection that ended in good order but too early. */
const CLOSED = new Set(['aborted', 'socket hang up'])

/** The error of an exchange whose connection was closed. */
export function closedError(cause?: unknown): HttpError {
  return new HttpError('other side closed', { code: 'CONNECTION_CLOSED', cause })
}

/** What decides how a failure is explained to a user. */
type NetworkFailureKind =
  /** Nothing listens. */
  | 'refused'
  | 'unknown-host'
  /** A local address that an answer led to. */
  | 'address-not-allowed'
  | 'not-http'
  /** The proxy in between: the text names it and what it said. */
  | 'proxy'
  | 'tls'
  /** No connection, or one that is too slow. */
  | 'timeout'
  /** A connection on which nothing came in time. */
  | 'stalled'
  /** An answer came that cannot be used. */
  | 'unusable-answer'
  /** Everything else: in most cases the connection broke. */
  | 'broken'

/** A failed exchange, classified. */
export interface NetworkFailure {
  readonly kind: NetworkFailureKind
  /** `undefined`: not a failure of the network. */
  readonly code: string | undefined
  /** What Node or `HttpError` says. */
  readonly text: string
}

const KINDS: Readonly<Record<string, NetworkFailureKind>> = {
  ADDRESS_NOT_ALLOWED: 'address-not-allowed',
  ANSWER_TOO_LARGE: 'unusable-answer',
  BODY_TIMEOUT: 'stalled',
  CONNECT_TIMEOUT: 'timeout',
  EAI_AGAIN: 'unknown-host',
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'unknown-host',
  ETIMEDOUT: 'timeout',
  HEADERS_TIMEOUT: 'stalled',
  NOT_HTTP: 'not-http',
  PROXY_DENIED: 'proxy',
  PROXY_FAILED: 'proxy',
  PROXY_UNREACHABLE: 'proxy',
  TOO_MANY_REDIRECTS: 'unusable-answer',
  TOO_SLOW: 'timeout',
}
const TLS = /SSL|TLS|CERT|SELF_SIGNED|UNABLE_TO|EPROTO/

/** What a user can do about a failure of kind `proxy`. */
export const PROXY_HINT: string =
  'check the variable in brackets; NO_PROXY=HOST,… names hosts that are reached without a proxy'

/** Classifies what an exchange threw. */
export function networkFailure(error: unknown): NetworkFailure {
  const code = networkCode(error)
  const message = error instanceof Error ? error.message : String(error)
  const first = error instanceof AggregateError ? error.errors[0] : undefined
  const text = message === '' && first instanceof Error ? first.message : message
  const kind = KINDS[code ?? ''] ?? (TLS.test(code ?? '') ? 'tls' : 'broken')
  return { kind, code, text }
}

/** The code of a network failure, also when it is wrapped: Node's or that of an `HttpError`. */
export function networkCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error instanceof AggregateError) return networkCode(error.errors[0])
  return networkCode(error.cause)
}

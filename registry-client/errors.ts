import { type ErrorCode, type FailureOptions, isCancelled, TsbuildError } from '#core'
import { type HttpResponse, type NetworkFailure, networkFailure, PROXY_HINT } from '#http'
import { parseErrorBody } from './error-body.ts'

/** What a registry said, and what follows from it. */
export interface RegistryFailure extends FailureOptions {
  /** HTTP status of the answer, when there was one. */
  readonly status?: number | undefined
  /** Spec: distribution-spec v1.1 #error-codes, e.g. `MANIFEST_UNKNOWN`. */
  readonly registryCodes?: readonly string[] | undefined
  /** Milliseconds. */
  readonly retryAfter?: number | undefined
}

/**
 * A registry refused, failed or could not be reached. Codes: REGISTRY_UNREACHABLE, REGISTRY_DENIED,
 * NOT_FOUND, REGISTRY_FAILED. No text of it holds a credential, a token or a query string.
 */
export class RegistryError extends TsbuildError {
  readonly status: number | undefined
  readonly registryCodes: readonly string[]
  /** What the registry asks to wait before the next attempt, in milliseconds. */
  readonly retryAfter: number | undefined

  constructor(message: string, options: RegistryFailure) {
    super(message, options)
    this.status = options.status
    this.registryCodes = options.registryCodes ?? []
    this.retryAfter = options.retryAfter
  }
}

/** What was being done, and where. */
export interface ExchangeSubject {
  /** Verb first, with the item: `push layer sha256:…`. */
  readonly doing: string
  /** The registry as the user names it. */
  readonly registry: string
}

/** The error for an answer with a status that is not expected. */
export function answerError(
  response: HttpResponse,
  { doing, registry }: ExchangeSubject,
  details: { readonly redact: (text: string) => string; readonly retryAfter: number | undefined },
): RegistryError {
  const { status } = response
  const body = parseErrorBody(response.body)
  const code = errorCode(status, body.codes)
  const text = body.text === '' ? '' : `: ${plainText(details.redact(body.text))}`
  const codes = body.codes.length === 0 ? '' : ` (${body.codes.join(', ')})`
  const what =
    code === 'REGISTRY_DENIED'
      ? `registry ${registry} denied access`
      : code === 'NOT_FOUND'
        ? `not found in registry ${registry}`
        : `registry ${registry} answered ${status}`
  return new RegistryError(`${doing}: ${what}${text}${codes}`, {
    code,
    status,
    registryCodes: body.codes,
    retryAfter: details.retryAfter,
    hint: hintFor(status, code, registry),
  })
}

/** The error for what an exchange threw, with what the user can do about it. */
export function exchangeError(error: unknown, { doing, registry }: ExchangeSubject): TsbuildError {
  if (error instanceof TsbuildError) {
    if (error.message.startsWith(doing)) return error
    const { code, message } = error
    const { status, registryCodes } = error instanceof RegistryError ? error : {}
    const hint = error.hint ?? hintFor(status, code, registry)
    const options = { code, hint, status, registryCodes, cause: error }
    return new RegistryError(`${doing}: registry ${registry}: ${message}`, options)
  }
  const failure = networkFailure(error)
  if (failure.kind === 'unusable-answer') {
    return new RegistryError(`${doing}: registry ${registry}: ${failure.text}`, {
      code: 'REGISTRY_FAILED',
      hint: hintFor(undefined, 'REGISTRY_FAILED', registry),
      cause: error,
    })
  }
  const [text, hint] = describeFailure({ ...failure, text: plainText(failure.text) }, registry)
  return new RegistryError(`${doing}: cannot reach registry ${registry}: ${text}`, {
    code: 'REGISTRY_UNREACHABLE',
    hint,
    cause: error,
  })
}

/** The error of an operation that `signal` ended. */
export function cancelledError(doing: string, signal: AbortSignal): TsbuildError {
  const { reason } = signal
  // Any other reason is the failure of what was under way beside it.
  if (reason instanceof TsbuildError && isCancelled(reason)) return reason
  return new TsbuildError(`${doing}: cancelled`, { code: 'CANCELLED', cause: reason })
}

const MAX_TEXT = 400

/** Text from outside, fit for a terminal: one line, no control characters, nothing secret. */
export function plainText(text: string): string {
  return text
    .slice(0, MAX_TEXT * 4)
    .replace(/[\p{C}\s]+/gu, ' ')
    .replace(/\b(https?:\/\/)[^\s/@]*@/gi, '$1')
    .replace(/(\bhttps?:\/\/[^\s?"']*)\?[^\s"']*/gi, '$1')
    .replace(/\b(Basic|Bearer) +[\w.~+/=-]{8,}/gi, '$1 …')
    .trim()
    .slice(0, MAX_TEXT)
}

function errorCode(status: number, codes: readonly string[]): ErrorCode {
  if (status === 401 || status === 403) return 'REGISTRY_DENIED'
  if (codes.includes('DENIED') || codes.includes('UNAUTHORIZED')) return 'REGISTRY_DENIED'
  return status === 404 ? 'NOT_FOUND' : 'REGISTRY_FAILED'
}

function hintFor(status: number | undefined, code: ErrorCode, registry: string): string {
  if (code === 'REGISTRY_DENIED') {
    return `check the name, and log in as a user who may do this: tsbuild login ${registry}`
  }
  if (code === 'NOT_FOUND') {
    return `check the name and the tag; a private one may need: tsbuild login ${registry}`
  }
  if (status === 413) return 'the registry, or a proxy before it, limits the size of an upload'
  if (status === 429) {
    return `wait, or log in for a higher limit: tsbuild login ${registry}`
  }
  if (status !== undefined && status >= 500)
    return 'try again later, or ask those who run the registry'
  return `check that ${registry} is a container registry and that it allows this`
}

function describeFailure(
  { kind, text }: NetworkFailure,
  registry: string,
): readonly [string, string] {
  const running = `check that ${registry} is right and that the registry is running`
  switch (kind) {
    case 'refused':
      return ['connection refused', running]
    case 'unknown-host':
      return ['no such host', `check the spelling of ${registry} and the network's name service`]
    case 'address-not-allowed':
      return [text, 'a registry may send tsbuild to other hosts, but not to local addresses']
    case 'not-http':
      return [text, running]
    case 'proxy':
      return [text, PROXY_HINT]
    case 'tls':
      return [
        `TLS failed: ${text}`,
        `put the certificate of its authority into /etc/docker/certs.d/${registry}/ca.crt or name its file with --registry-ca; a client's own is a .cert and a .key there`,
      ]
    case 'timeout':
      return ['timed out', running]
    default:
      return [text, `${running}; the connection broke in the middle`]
  }
}

import { TsbuildError } from '#core'
import { type NetworkFailure, networkFailure, PROXY_HINT } from '#http'
import { redacted } from './http-source.ts'

/** The error of a download, for a reason that is shown to the user. */
export function downloadError(
  url: URL,
  reason: string,
  options: { readonly cause?: unknown; readonly hint?: string } = {},
): TsbuildError {
  return new TsbuildError(`download ${redacted(url)}: ${reason}`, {
    code: 'DOWNLOAD_FAILED',
    ...options,
  })
}

/**
 * The error for what an exchange threw, with what the user can do about it. A bug stays as it is.
 * @param at.url where the exchange failed; @param at.first the URL that led there
 */
export function exchangeError(
  cause: unknown,
  at: { readonly url: URL; readonly first: URL },
): unknown {
  if (cause instanceof TsbuildError) return cause
  const failure = networkFailure(cause)
  if (failure.code === undefined) return cause
  if (failure.kind === 'unusable-answer') return downloadError(at.first, failure.text)
  const [reason, hint] = describeFailure(failure, at.url.host)
  return downloadError(at.url, reason, { cause, hint })
}

function describeFailure({ kind, text }: NetworkFailure, host: string): readonly [string, string] {
  switch (kind) {
    case 'refused':
      return ['connection refused', `is there a server on ${host}?`]
    case 'unknown-host':
      return ['no such host', `check the spelling of ${host} and the network's name service`]
    case 'proxy':
      return [text, PROXY_HINT]
    case 'tls':
      return [
        `TLS failed: ${text}`,
        'name a file with the certificate of its authority in SSL_CERT_FILE, or add it to those of the machine',
      ]
    case 'timeout':
    case 'stalled':
      return ['timed out', `is ${host} up, and can it be reached?`]
    default:
      return [text, 'try again later']
  }
}

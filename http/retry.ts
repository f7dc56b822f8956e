import { networkCode } from './errors.ts'
import type { HttpResponse, Middleware } from './exchange.ts'
import type { Timing } from './timing.ts'

/** Requests made for one answer, the first included. */
export const MAX_ATTEMPTS = 6
const BASE_DELAY = 1_000
const MAX_DELAY = 60_000
const RETRIED_STATUS = new Set([408, 425, 429, 500, 502, 503, 504])

const BROKEN_CONNECTION = new Set([
  'BODY_TIMEOUT',
  'CONNECTION_CLOSED',
  'ECONNABORTED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  'HEADERS_TIMEOUT',
  'TOO_SLOW',
])
/** Worth one more try: longer waiting hides from the user that the name or address is wrong. */
const NO_CONNECTION = new Set(['CONNECT_TIMEOUT', 'EAI_AGAIN', 'PROXY_FAILED'])

/** True for statuses that may change when the same request is sent again later. */
export function isRetriedStatus(status: number): boolean {
  return RETRIED_STATUS.has(status)
}

/** How many attempts a failure of the network is worth: 1 is none after the first. */
export function attemptsFor(error: unknown): number {
  const code = networkCode(error)
  if (code === undefined) return 1
  if (BROKEN_CONNECTION.has(code)) return MAX_ATTEMPTS
  return NO_CONNECTION.has(code) ? 2 : 1
}

/**
 * Milliseconds to wait before attempt `attempt + 1`: exponential with full jitter, and never less
 * than what the server asks for, which itself is capped.
 */
export function backoff(attempt: number, retryAfter: number | undefined, timing: Timing): number {
  const ceiling = Math.min(MAX_DELAY, BASE_DELAY * 2 ** (attempt - 1))
  return Math.max(Math.round(timing.random() * ceiling), retryAfter ?? 0)
}

/** The `Retry-After` header in milliseconds, at most 60 s; `undefined` when absent or garbage. */
export function retryAfterOf(response: HttpResponse, timing: Timing): number | undefined {
  const header = response.headers['retry-after']?.trim()
  if (header === undefined) return undefined
  const milliseconds = /^\d{1,15}$/.test(header)
    ? Number(header) * 1000
    : /^[A-Z][a-z]{2}, /.test(header)
      ? Date.parse(header) - timing.now()
      : Number.NaN
  if (!Number.isFinite(milliseconds) || milliseconds < 0) return undefined
  return Math.min(milliseconds, MAX_DELAY)
}

/**
 * Sends again what may succeed later. Requests with a stream are sent once: their caller has to open a
 * new one.
 */
export function retrying(timing: Timing): Middleware {
  return (next) => async (request) => {
    const isStream = request.body?.kind === 'stream'
    const attempts = isStream ? 1 : (request.attempts ?? MAX_ATTEMPTS)
    for (let attempt = 1; ; attempt++) {
      let retryAfter: number | undefined
      try {
        const response = await next(request)
        if (attempt >= attempts || !isRetriedStatus(response.status)) return response
        retryAfter = retryAfterOf(response, timing)
      } catch (error) {
        const isWorthless = attempt >= Math.min(attempts, attemptsFor(error))
        if (isWorthless || request.signal?.aborted) throw error
      }
      await timing.sleep(backoff(attempt, retryAfter, timing), request.signal)
    }
  }
}

import { isDamaged } from '#core'
import { attemptsFor, isRetriedStatus, MAX_ATTEMPTS } from '#http'
import { RegistryError } from '../errors.ts'

/** How an upload that broke may be saved. */
interface Remedy {
  /** How often this failure is worth an attempt, the first included. */
  readonly attempts: number
  /** Whether the session may still have what was sent. */
  readonly mayGoOn: boolean
  /** Milliseconds. */
  readonly retryAfter?: number | undefined
}

/** Stale tokens, lost sessions, refused parts: going on or starting over helps, or nothing does. */
const RESTARTED_STATUS = new Set([401, 404, 416])

/** An upload that broke in a way that another attempt may mend; `cause` is what is reported otherwise. */
export class BrokenUploadError extends Error {
  override readonly cause: Error
  readonly remedy: Remedy
  /** Failures of one kind are counted together. */
  readonly kind: string

  constructor(cause: Error, kind: string, remedy: Remedy) {
    super(cause.message)
    this.cause = cause
    this.kind = kind
    this.remedy = remedy
  }
}

/** A failure of the exchange, as the error that says what may mend it; else the failure itself. */
export function brokenUpload(error: unknown): unknown {
  if (!(error instanceof RegistryError)) return error
  const { status, retryAfter, registryCodes } = error
  const kind = status === undefined ? 'network' : `status ${status}`
  if (status === undefined) {
    const attempts = attemptsFor(error.cause)
    return new BrokenUploadError(error, kind, { attempts, mayGoOn: true })
  }
  if (isRetriedStatus(status)) {
    return new BrokenUploadError(error, kind, { attempts: MAX_ATTEMPTS, mayGoOn: true, retryAfter })
  }
  if (RESTARTED_STATUS.has(status)) {
    return new BrokenUploadError(error, kind, { attempts: 3, mayGoOn: status !== 404, retryAfter })
  }
  // The source was verified: the bytes came to harm on their way, or two parts do not fit.
  const isTorn = registryCodes.includes('DIGEST_INVALID')
  return isTorn ? new BrokenUploadError(error, kind, { attempts: 2, mayGoOn: false }) : error
}

/** A failure of the source: what came damaged is fetched once more. */
export function brokenSource(error: unknown): unknown {
  if (!(error instanceof Error) || !isDamaged(error)) return error
  return new BrokenUploadError(error, 'source', { attempts: 2, mayGoOn: false })
}

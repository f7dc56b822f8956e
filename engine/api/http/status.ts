import { type ErrorCode, TsbuildError } from '#core'

/** HTTP's status for errors; what is not listed is a fault of this machine or of another one: 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  CONFIG_INVALID: 400,
  CONFLICT: 409,
  CONTEXT_INVALID: 400,
  DOCKERFILE_INVALID: 400,
  NOT_FOUND: 404,
  NOT_MODIFIED: 304,
  PERMISSION_DENIED: 403,
  PLATFORM_MISMATCH: 404,
  REFERENCE_INVALID: 400,
  REGISTRY_DENIED: 401,
  UNSUPPORTED: 501,
  USAGE: 400,
}

/** Of an error of the engine, or of the framework that reads requests. */
export function statusOf(error: unknown): number {
  if (error instanceof TsbuildError) return STATUS[error.code] ?? 500
  const status = (error as { readonly statusCode?: unknown }).statusCode
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500
}

/** What a client is told; of a fault in this program nothing but that there is one. */
export function messageOf(error: unknown): string {
  if (error instanceof TsbuildError) return error.message
  return error instanceof Error ? error.message : String(error)
}

import { type ErrorCode, TsbuildError } from '#core'

/** Spec: gRPC, doc/statuscodes.md. The place in the list is the number. */
const STATUSES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const

/** How a call of gRPC can end. */
export type CallStatus = (typeof STATUSES)[number]

/** How a call of gRPC can fail. */
export type FailedStatus = Exclude<CallStatus, 'OK'>

const CODES: Readonly<Partial<Record<FailedStatus, ErrorCode>>> = {
  NOT_FOUND: 'NOT_FOUND',
  ALREADY_EXISTS: 'CONFLICT',
  INVALID_ARGUMENT: 'USAGE',
  PERMISSION_DENIED: 'PERMISSION_DENIED',
  UNAUTHENTICATED: 'PERMISSION_DENIED',
  UNIMPLEMENTED: 'UNSUPPORTED',
  UNAVAILABLE: 'PEER_GONE',
  // The client has given up; `CANCELLED` is for what this process was asked to end.
  CANCELLED: 'PEER_GONE',
}

/** What a failed call has besides its message. */
export interface CallFailure {
  readonly status: FailedStatus
  /** Default: what fits the status. */
  readonly code?: ErrorCode
  readonly cause?: unknown
  readonly hint?: string | undefined
}

/** A call to a client that failed. `status` is gRPC's own word for it. */
export class CallError extends TsbuildError {
  readonly status: FailedStatus

  constructor(message: string, { status, code, cause, hint }: CallFailure) {
    super(message, { code: code ?? CODES[status] ?? 'IO_FAILED', cause, hint })
    this.status = status
  }
}

/** @param number as a trailer has it; what is not a status of gRPC is `UNKNOWN` */
export function statusOf(number: string): CallStatus {
  return (/^\d{1,2}$/.test(number) ? STATUSES[Number(number)] : undefined) ?? 'UNKNOWN'
}

/** Whether a failure is a call that ended with one of these statuses. */
export function hasStatus(failure: unknown, ...statuses: readonly FailedStatus[]): boolean {
  return failure instanceof CallError && statuses.includes(failure.status)
}

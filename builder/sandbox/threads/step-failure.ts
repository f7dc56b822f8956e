import { processStatus, remedyFor } from '#builder/namespaces'
import { errnoOf, firstFailure, ioError, TsbuildError } from '#core'

/**
 * What a failure in a thread of the sandbox means: a system call that fails without further explanation
 * means that this host cannot run the step.
 * @param doing `start the step`
 */
export function stepFailure(failure: unknown, doing: string): Error {
  const first = firstFailure(failure)
  const cause = isFull(first) ? ioError(doing, first) : first
  if (cause instanceof TsbuildError) return cause
  const message = `${doing}: ${cause instanceof Error ? cause.message : String(cause)}`
  const errno = errnoOf(cause)
  if (errno === undefined) return new Error(message, { cause })
  const hint =
    remedyFor(errno, processStatus()) ??
    'check that this host lets builds make namespaces and mounts'
  return new TsbuildError(message, { code: 'SANDBOX_UNAVAILABLE', hint, cause })
}

/** A full disk. unshare(2) says the same of too many namespaces, which is a matter of the host. */
function isFull(cause: unknown): boolean {
  const errno = errnoOf(cause)
  const isOfNamespaces = cause instanceof Error && 'syscall' in cause && cause.syscall === 'unshare'
  return (errno === 'ENOSPC' || errno === 'EDQUOT') && !isOfNamespaces
}

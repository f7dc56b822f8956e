import { S3ServiceException } from '@aws-sdk/client-s3'
import { TsbuildError } from '#core'
import { answerError, unreachableError } from './store-error.ts'

/** Whether there is no such object. A bucket that is not there is another failure. */
export function isMissing(cause: unknown): boolean {
  return (
    cause instanceof S3ServiceException &&
    cause.$metadata.httpStatusCode === 404 &&
    cause.name !== 'NoSuchBucket'
  )
}

/** Whether a condition does not hold, or another writer was under way. */
export function isReplaced(cause: unknown): boolean {
  if (!(cause instanceof S3ServiceException)) return false
  const { httpStatusCode: status } = cause.$metadata
  return status === 412 || status === 409 || isMissing(cause)
}

/** What the client throws before anything is sent. */
const NO_CREDENTIALS = /credential|token/i
const NO_REGION = /region is missing/i

/** What the client throws, as an error that holds nothing secret. */
export function toError(
  cause: unknown,
  { doing, store }: { readonly doing: string; readonly store: string },
): TsbuildError {
  const subject = { doing, store, deniedHint: DENIED_HINT }
  if (!(cause instanceof Error)) return unreachableError(cause, subject)
  if (cause instanceof S3ServiceException) {
    const { name: code, message } = cause
    return answerError({ status: cause.$metadata.httpStatusCode ?? 0, code, message }, subject)
  }
  if (NO_REGION.test(cause.message)) {
    const hint = 'write region=REGION, or set AWS_REGION'
    return new TsbuildError(`${doing}: ${store} has no region`, { code: 'REGISTRY_FAILED', hint })
  }
  if (NO_CREDENTIALS.test(cause.name)) {
    const hint = DENIED_HINT
    return new TsbuildError(`${doing}: there are no credentials for ${store}`, {
      code: 'REGISTRY_DENIED',
      hint,
    })
  }
  return unreachableError(cause, subject)
}

const DENIED_HINT =
  'check access_key_id and secret_access_key, or the environment and profile of AWS; the user needs ' +
  's3:GetObject and s3:ListBucket, and s3:PutObject to export'

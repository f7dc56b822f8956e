import { type Bytes, collect, type ErrorCode, TsbuildError, withoutCredentials } from '#core'
import { networkFailure } from '#http'

/** What was being done, and where. */
export interface StoreSubject {
  /** Verb first: `read blobs/sha256-…`. */
  readonly doing: string
  /** The store as the user names it. */
  readonly store: string
  /** What the user may do when access is denied. */
  readonly deniedHint: string
}

/** What a store has answered; `status` 0: nothing. */
export interface StoreAnswer {
  readonly status: number
  /** Its own: `NoSuchBucket`. */
  readonly code: string
  readonly message: string
}

/** Characters. */
const MOST_TEXT = 300

/**
 * The error for an answer that is not expected. What a library has thrown is no part of it: its errors hold
 * requests, with their headers.
 */
export function answerError(answer: StoreAnswer, subject: StoreSubject): TsbuildError {
  const { doing, store, deniedHint } = subject
  const { status, code } = answer
  const text = plainText(answer.message)
  const reason = [code, text].filter((one) => one !== '').join(': ')
  const kind = errorCode(status)
  const hint =
    kind === 'REGISTRY_DENIED'
      ? deniedHint
      : 'check the name and the place of the cache, or try again later'
  const what = kind === 'REGISTRY_DENIED' ? `${store} denied access` : `${store} answered ${status}`
  return new TsbuildError(`${doing}: ${what}${reason === '' ? '' : ` (${reason})`}`, {
    code: kind,
    hint,
  })
}

/** The error for a store that did not answer. */
export function unreachableError(thrown: unknown, { doing, store }: StoreSubject): TsbuildError {
  const text = plainText(networkFailure(thrown).text)
  return new TsbuildError(`${doing}: cannot reach ${store}: ${text}`, {
    code: 'REGISTRY_UNREACHABLE',
    hint: 'check its address and the network',
  })
}

/** The error for an object that is not there. */
export function missingError({
  doing,
  store,
}: Pick<StoreSubject, 'doing' | 'store'>): TsbuildError {
  return new TsbuildError(`${doing}: ${store} does not have it`, { code: 'NOT_FOUND' })
}

/** All bytes of a document. @throws {TsbuildError} SIZE_MISMATCH when there are more than `limit` */
export async function collectDocument(
  bytes: Bytes,
  { doing, limit }: Pick<StoreSubject, 'doing'> & { readonly limit: number },
): Promise<Buffer> {
  try {
    return await collect(bytes, limit)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new TsbuildError(`${doing}: it has more than ${limit} bytes`, { code: 'SIZE_MISMATCH' })
  }
}

/** Text from outside: one line, no control characters, nothing secret. */
function plainText(text: string): string {
  const line = text.slice(0, MOST_TEXT * 4).replace(/[\p{C}\s]+/gu, ' ')
  return withoutCredentials(line)
    .replace(/(\bhttps?:\/\/[^\s?"']*)\?[^\s"']*/gi, '$1')
    .trim()
    .slice(0, MOST_TEXT)
}

function errorCode(status: number): ErrorCode {
  return status === 401 || status === 403 ? 'REGISTRY_DENIED' : 'REGISTRY_FAILED'
}

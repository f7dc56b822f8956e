import { type ErrorCode, TsbuildError } from '../errors.ts'
import { JsonCursor, JsonProblem } from './json-cursor.ts'
import type { Shape } from './shape.ts'

/** Largest manifest, index or config that is read, in bytes. */
export const MAX_DOCUMENT_BYTES: number = 4 * 1024 * 1024

/** How the errors of a document look. */
export interface DocumentOptions {
  /** What it is, for errors: `manifest`. */
  readonly what: string
  readonly code: ErrorCode
  /** Nothing of the document may be in an error. */
  readonly isSecret?: boolean
  readonly hint?: string
}

/**
 * Reads a JSON document that comes from outside. What two programs could read differently is refused
 * at every level: a key that is there twice, or differs from a field in case only, a byte order
 * mark, anything behind the end, text that is not UTF-8. Null is the same as absent.
 * @throws {TsbuildError} `code`
 */
export function readDocument<T>(bytes: Uint8Array, shape: Shape<T>, options: DocumentOptions): T {
  const { what, code, isSecret = false, hint } = options
  try {
    if (bytes.length > MAX_DOCUMENT_BYTES) {
      throw new JsonProblem('', `has ${bytes.length} bytes, more than ${MAX_DOCUMENT_BYTES}`)
    }
    const cursor = new JsonCursor(decoded(bytes))
    const value = cursor.read(shape.read) ?? shape.empty
    cursor.end()
    return value
  } catch (cause) {
    if (!(cause instanceof JsonProblem)) throw cause
    const { path, reason } = cause
    const subject = path === '' ? 'it' : isSecret ? 'a part of it' : path
    throw new TsbuildError(`invalid ${what}: ${subject} ${reason}`, { code, hint })
  }
}

function decoded(bytes: Uint8Array): string {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new JsonProblem('', 'is not UTF-8')
  }
  if (text.startsWith('\uFEFF')) throw new JsonProblem('', 'starts with a byte order mark')
  return text
}

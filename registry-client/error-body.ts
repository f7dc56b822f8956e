import { isJsonObject, type Json, readDocument, shapes } from '#core'

/** What a registry says about a failure. */
export interface ErrorBody {
  /** Such as `MANIFEST_UNKNOWN`. */
  readonly codes: readonly string[]
  /** As it was sent: not fit for a terminal. */
  readonly text: string
}

/**
 * The codes and the text of an error's body; empty where there are none.
 * Spec: distribution-spec v1.1 #error-codes; token services say `error` or `details` instead.
 */
export function parseErrorBody(body: Buffer): ErrorBody {
  const document = parseLeniently(body)
  if (!isJsonObject(document)) return { codes: [], text: '' }
  const { errors, error, error_description: description, details, message } = document
  if (!Array.isArray(errors)) {
    const text = [description, details, message, error].find((field) => typeof field === 'string')
    return { codes: [], text: typeof text === 'string' ? text : '' }
  }
  const entries = errors.slice(0, 10).filter((entry: Json) => isJsonObject(entry))
  const codes = entries.flatMap((entry) =>
    typeof entry.code === 'string' && /^[A-Z_0-9]{1,64}$/.test(entry.code) ? [entry.code] : [],
  )
  const texts = entries.flatMap((entry) => (typeof entry.message === 'string' ? entry.message : []))
  return { codes: [...new Set(codes)], text: [...new Set(texts)].join('; ') }
}

/** `undefined` for what is not JSON, such as the page of a proxy. */
function parseLeniently(body: Buffer): Json | undefined {
  try {
    return readDocument(body, shapes.any, { what: 'error', code: 'REGISTRY_FAILED' })
  } catch {
    return undefined
  }
}

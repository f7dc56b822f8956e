import { type ErrorCode, TsbuildError } from './errors.ts'

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

/** Largest manifest, index or config that is read, in bytes. */
export const MAX_DOCUMENT_BYTES: number = 4 * 1024 * 1024
const MAX_DEPTH = 64

/**
 * Parses a document from outside: size and nesting are bounded before anything looks at it.
 * @throws {TsbuildError} `code` with `what` in its message
 */
export function parseJson(bytes: Uint8Array, what: string, code: ErrorCode): Json {
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw new TsbuildError(`${what} has ${bytes.length} bytes, more than ${MAX_DOCUMENT_BYTES}`, {
      code,
    })
  }
  if (nesting(bytes) > MAX_DEPTH) {
    throw new TsbuildError(`${what} is nested deeper than ${MAX_DEPTH} levels`, { code })
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json
  } catch (cause) {
    throw new TsbuildError(`${what} is not valid JSON`, { code, cause })
  }
}

function nesting(bytes: Uint8Array): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (inString) {
      if (byte === 0x5c) i++
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if (byte === 0x5b || byte === 0x7b) deepest = Math.max(deepest, ++depth)
    else if (byte === 0x5d || byte === 0x7d) depth--
  }
  return deepest
}

export type JsonObject = { readonly [key: string]: Json }

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** JSON with keys in code-unit order and no white space: equal values give equal text. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`)
  return `{${members.join(',')}}`
}

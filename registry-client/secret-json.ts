import { type Json, parseJson, TsbuildError } from '#core'

/**
 * Parses a document that holds secrets; `undefined` when it is no JSON. The parser's own error is
 * dropped on purpose: it quotes the text that it could not read.
 */
export function parseSecretJson(bytes: Uint8Array): Json | undefined {
  try {
    return parseJson(bytes, 'document', 'CONFIG_INVALID')
  } catch (error) {
    if (error instanceof TsbuildError) return undefined
    throw error
  }
}

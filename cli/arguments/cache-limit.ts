import { parseByteSize, type TsbuildError, usageError } from '#core'

/** How much the store may take: bytes, or any amount. */
export type CacheLimit = number | 'none'

/** Reads the value of a flag, a variable or a setting, which `name` says. @throws {TsbuildError} USAGE */
export function parseCacheLimit(text: string, name: string): CacheLimit {
  if (text === 'none') return text
  const bytes = parseByteSize(text)
  if (bytes === undefined || bytes === 0) throw limitError(text, name)
  return bytes
}

function limitError(text: string, name: string): TsbuildError {
  const hint = `write it like ${name}=20GB, or ${name}=none for any amount`
  return usageError(`invalid ${name} ${JSON.stringify(text.slice(0, 100))}`, hint)
}

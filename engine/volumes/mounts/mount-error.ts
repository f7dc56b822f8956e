import { TsbuildError } from '#core'

/** A mount that cannot be asked for so. */
export function mountError(message: string): TsbuildError {
  return new TsbuildError(message, { code: 'USAGE' })
}

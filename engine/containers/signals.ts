import { signalNumber, TsbuildError } from '#core'

/** The number of a signal that a client names. @throws {TsbuildError} USAGE */
export function parseSignal(text: string): number {
  const number = signalNumber(text)
  if (number !== undefined) return number
  throw new TsbuildError(`invalid signal: ${text}`, { code: 'USAGE' })
}

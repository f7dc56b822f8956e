import { constants } from 'node:os'
import { TsbuildError } from '#core'

const SIGNALS = new Map(Object.entries(constants.signals))

/** The name of a signal: with or without SIG, or by number. @throws {TsbuildError} USAGE */
export function parseSignal(text: string): NodeJS.Signals {
  const upper = text.toUpperCase()
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`
  if (SIGNALS.has(name)) return name as NodeJS.Signals
  const byNumber = [...SIGNALS].find(([, number]) => `${number}` === text)
  if (byNumber !== undefined) return byNumber[0] as NodeJS.Signals
  throw new TsbuildError(`Invalid signal: ${text}`, { code: 'USAGE' })
}

/** Of a signal of this machine. */
export function signalNumber(name: NodeJS.Signals): number {
  return constants.signals[name]
}

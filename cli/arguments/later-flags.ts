import { TsbuildError } from '#core'
import type { Arguments, Flag } from './flags.ts'

/** A flag of docker's command line that means nothing here yet. */
interface LaterFlag {
  readonly name: string
  /** How to do without. */
  readonly hint: string
  /** Values that ask for what happens anyway. */
  readonly taken?: readonly string[]
}

const LATER: readonly LaterFlag[] = [
]

/** So that they are read as docker reads them; `--help` is silent about them. */
export const LATER_FLAGS: readonly Flag[] = LATER.map(({ name, hint }) => ({
  name,
  help: hint,
  group: 'Later',
  repeat: true,
  isHidden: true,
  metavar: 'VALUE',
}))

/** @throws {TsbuildError} UNSUPPORTED for a flag that asks for what is not there yet */
export function refuseLater(args: Arguments): void {
  for (const { name, hint, taken = [] } of LATER) {
    if (args.list(name).every((value) => taken.includes(value))) continue
    throw unsupportedError(`--${name} is not supported yet`, hint)
  }
}

/** The error for what is understood, and to come. */
export function unsupportedError(message: string, hint: string): TsbuildError {
  return new TsbuildError(message, { code: 'UNSUPPORTED', hint })
}

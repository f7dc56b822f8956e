import { constants } from 'node:os'
import { TsbuildError } from '#core'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Signals turned into an abort. */
export interface Interrupts {
  readonly signal: AbortSignal
  /** 128 + the number of the first signal, once there was one. */
  exitCode(): number | undefined
}

/** From now on the first signal aborts and the second ends the process at once. */
export function watchSignals(): Interrupts {
  const controller = new AbortController()
  let code: number | undefined
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (code !== undefined) process.exit(code)
      code = 128 + constants.signals[name]
      controller.abort(new TsbuildError(`cancelled by ${name}`, { code: 'CANCELLED' }))
    })
  }
  return { signal: controller.signal, exitCode: () => code }
}

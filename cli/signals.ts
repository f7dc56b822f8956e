import { constants } from 'node:os'
import { TsbuildError } from '#core'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What a command may take to stop, in milliseconds; namespaces end with the process in any case. */
const PATIENCE = 5000

/** Signals turned into an abort. */
export interface Interrupts {
  readonly signal: AbortSignal
  /** 128 + the number of the first signal, once there was one. */
  exitCode(): number | undefined
}

/**
 * From now on the first signal aborts. The second ends the process at once, and so does a command
 * that does not stop. `patience` in milliseconds.
 */
export function watchSignals(patience: number = PATIENCE): Interrupts {
  const controller = new AbortController()
  let code: number | undefined
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (code !== undefined) process.exit(code)
      const exitCode = 128 + constants.signals[name]
      code = exitCode
      setTimeout(() => process.exit(exitCode), patience).unref()
      controller.abort(new TsbuildError(`cancelled by ${name}`, { code: 'CANCELLED' }))
    })
  }
  return { signal: controller.signal, exitCode: () => code }
}

import { constants } from 'node:os'
import { TsbuildError } from '#core'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What a command may take to stop, in milliseconds; namespaces end with the process in any case. */
const PATIENCE = 5000

/** Signals turned into an abort. */
export interface Interrupts {
  readonly signal: AbortSignal
  /** Milliseconds that the command may take to stop, in the place of `patience`. */
  takeTime(milliseconds: number): void
  /** 128 + the number of the first signal, once there was one. */
  exitCode(): number | undefined
}

/**
 * From now on the first signal aborts. The second ends the process at once, and so does a command
 * that does not stop. `patience` in milliseconds. A SIGHUP that was ignored when the program was
 * started, as under nohup, does nothing.
 */
export function watchSignals(
  env: Readonly<Record<string, string | undefined>>,
  patience: number = PATIENCE,
): Interrupts {
  const controller = new AbortController()
  let first: NodeJS.Signals | undefined
  let allowed = patience
  for (const name of SIGNALS) {
    if (name === 'SIGHUP' && env.TSBUILD_IGNORE_HUP === '1') {
      process.on(name, () => undefined)
      continue
    }
    process.on(name, () => {
      if (first !== undefined) endAtOnce(first)
      first = name
      setTimeout(() => endAtOnce(name), allowed).unref()
      controller.abort(new TsbuildError(`cancelled by ${name}`, { code: 'CANCELLED' }))
    })
  }
  return {
    signal: controller.signal,
    takeTime: (milliseconds) => {
      allowed = milliseconds
    },
    exitCode: () => first && 128 + constants.signals[first],
  }
}

/** By the signal itself: an exit would end threads that may be in the middle of a system call. */
function endAtOnce(name: NodeJS.Signals): void {
  process.removeAllListeners(name)
  process.kill(process.pid, name)
}

/** How often a client is asked whether it is there. Spec: BuildKit, session/grpc.go */
export interface HealthTimes {
  /** Milliseconds between two questions. */
  readonly interval: number
  /** Milliseconds that an answer may take, at least. */
  readonly timeout: number
}

export const HEALTH_TIMES: HealthTimes = { interval: 5_000, timeout: 15_000 }

/** Questions without an answer in a row. */
const MOST_FAILURES = 2
/** A client that is slow because much is sent gets more time. */
const PATIENCE = 1.5

/**
 * Asks a client again and again whether it is there, until that is disposed of.
 * @param check fails where there is no answer within so many milliseconds
 * @param onLost called once, with the last failure
 */
export function watchHealth(
  check: (timeout: number) => Promise<void>,
  { interval, timeout }: HealthTimes,
  onLost: (cause: unknown) => void,
): Disposable {
  let failures = 0
  let lastTook = 0
  let isOver = false
  const ask = async (): Promise<void> => {
    const begun = performance.now()
    try {
      await check(Math.max(timeout, lastTook * PATIENCE))
      failures = 0
    } catch (cause) {
      failures++
      if (failures >= MOST_FAILURES && !isOver) {
        isOver = true
        onLost(cause)
      }
    }
    lastTook = performance.now() - begun
    if (!isOver) timer = later()
  }
  const later = (): NodeJS.Timeout => setTimeout(() => void ask(), interval).unref()
  let timer = later()
  return {
    [Symbol.dispose]: () => {
      isOver = true
      clearTimeout(timer)
    },
  }
}
